import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createApp } from "../../src/api/app.ts";
import type { Service } from "../../src/api/service.ts";
import { CollapsarError } from "../../src/errors.ts";

/** The service on a database of which nothing but the ping is asked. */
function appOf(ping: () => Promise<void>, draining?: AbortSignal) {
  const service = {
    database: { ping },
    submit: () => expect.fail("nothing is submitted"),
    ...(draining && { draining }),
  };
  return createApp(service as unknown as Service);
}

async function expectUnready(app: ReturnType<typeof appOf>, code: string): Promise<void> {
  const response = await app.request("/readyz");
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ status: 503, code, instance: "/readyz" });
  expect((await app.request("/healthz")).status).toBe(200);
}

it("is ready until it is told to stop, and alive after that", async () => {
  const draining = new AbortController();
  const app = appOf(async () => {}, draining.signal);
  expect((await app.request("/readyz")).status).toBe(200);
  draining.abort();
  await expectUnready(app, "stopping");
});

it("is not ready while the database is away, and ready when it is back", async () => {
  let away = true;
  const app = appOf(async () => {
    if (away) throw new CollapsarError("database-unavailable", "PostgreSQL at db/collapsar cannot be used");
  });
  await expectUnready(app, "database-unavailable");
  away = false;
  expect((await app.request("/readyz")).status).toBe(200);
});

it("does not wait for a database that does not answer", async () => {
  const app = appOf(() => sleep(60_000, undefined, { ref: false }));
  const begun = performance.now();
  await expectUnready(app, "database-unavailable");
  expect(performance.now() - begun).toBeLessThan(2_000);
});
