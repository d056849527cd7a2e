import { OpenAPIHono } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { dashboardRoutes, isDashboard } from "../../src/api/dashboard.ts";

const app = new OpenAPIHono();
dashboardRoutes(app);

const assetsOf = async () =>
  [...(await (await app.request("/")).text()).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!);

describe("the dashboard", () => {
  it("is one page, at / and at every address of a view", async () => {
    const page = await app.request("/");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const text = await page.text();
    for (const path of ["/ui/queue", "/ui/runs/any-run", "/ui/experiments/a?log=0"])
      expect(await (await app.request(path)).text()).toBe(text);
  });

  it("takes all it needs from itself, with no script or style within the page", async () => {
    const text = await (await app.request("/")).text();
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(text).not.toMatch(/<style|<script(?![^>]* src=)|style="|\son[a-z]+="/);
    for (const path of await assetsOf()) expect((await app.request(path)).status, path).toBe(200);
  });

  it("is not sent again while it is the same", async () => {
    const etag = (await app.request("/")).headers.get("etag")!;
    expect((await app.request("/", { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  it("sends assets as they were compressed, to be kept for ever", async () => {
    const script = (await assetsOf()).find((path) => path.endsWith(".js"))!;
    for (const encoding of ["br", "gzip"]) {
      const answer = await app.request(script, { headers: { "accept-encoding": encoding } });
      expect(answer.headers.get("content-encoding")).toBe(encoding);
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(answer.headers.get("vary")).toContain("Accept-Encoding");
    }
  });

  it("opens with less than 60 kB, compressed by gzip", async () => {
    const sizes = (await assetsOf()).map(async (path) => {
      const answer = await app.request(path, { headers: { "accept-encoding": "gzip" } });
      return (await answer.arrayBuffer()).byteLength;
    });
    expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
  });

  it("answers what it has not as the API does, and gives no file outside of its folder", async () => {
    expect((await app.request("/assets/none.js")).status).toBe(404);
    expect((await app.request("/assets/..%2f..%2fpackage.json")).status).toBe(404);
  });

  it("needs no token, unlike every other path", () => {
    expect(["/", "/ui/runs/x", "/assets/a.js"].filter(isDashboard)).toHaveLength(3);
    expect(["/runs", "/ui", "/experiments/ui/x", "//", "/metrics"].filter(isDashboard)).toEqual([]);
  });
});
