import { rm } from "node:fs/promises";
import { expect, it } from "vitest";
import { serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { emptyFolder } from "./samples.ts";

it("refuses what one token or one address asks beyond its requests a minute, and says when to come again", async () => {
  const home = await emptyFolder();
  const config = readConfig({ COLLAPSAR_HOME: home, PORT: "0", COLLAPSAR_RATE_LIMIT: "20" });
  const service = await serve(config, { worker: false });
  try {
    const make = async (name: string, shown?: string) => {
      const headers = { "content-type": "application/json", ...(shown && { authorization: `Bearer ${shown}` }) };
      const body = JSON.stringify({ name, scope: "admin" });
      const made = await fetch(`${service.url}/tokens`, { method: "POST", headers, body });
      return ((await made.json()) as { token: string }).token;
    };
    const admin = await make("admin");
    const [one, other] = [await make("one", admin), await make("other", admin)];
    const ask = (token?: string, path = "/runs") =>
      fetch(`${service.url}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    for (let i = 0; i < 20; i++) expect((await ask(one)).status).toBe(200);
    const refused = await ask(one);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: "rate-limited", status: 429 });
    expect((await ask(other)).status).toBe(200);

    const open = [];
    // the first token was made from this address
    for (let i = 0; i < 20; i++) open.push((await ask(`made-up-${i}`, "/openapi.json")).status);
    expect(open).toEqual([...Array(19).fill(200), 429]);
  } finally {
    await service.stop();
    await rm(home, { recursive: true });
  }
});
