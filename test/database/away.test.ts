import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { openDatabase } from "../../src/database/open.ts";
import { asDatabaseError } from "../../src/database/unavailable.ts";
import { asCollapsarError } from "../../src/errors.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { startOwnPostgres } from "../servers/postgres.ts";

const server = await startOwnPostgres();
afterAll(() => server?.stop());

describe.runIf(server)("a database that is away for a while", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase({ home: "none", databaseUrl: server!.url }, "collapsar test");
  });

  const ask = () => database.orm.execute(sql`select 1`);

  it("is said to be unavailable, and used within 2 s of its return, however often it was asked meanwhile", async () => {
    await ask();
    await server!.halt("immediate");
    for (let round = 0; round < 5; round++) {
      const asked = await Promise.allSettled(Array.from({ length: 20 }, ask)); // of more connections than there are
      for (const one of asked)
        expect(asCollapsarError((one as PromiseRejectedResult).reason)).toMatchObject({ code: "database-unavailable" });
    }
    await server!.resume();
    const begun = performance.now();
    await Promise.all(Array.from({ length: 20 }, ask));
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it("fails a transaction that it is lost in, again and again, and nothing after it", async () => {
    const statements = ["select 1", "select pg_sleep(10)"];
    const kinds = [
      () =>
        database.orm.transaction(async (orm) => {
          for (const text of statements) await orm.execute(sql.raw(text));
        }),
      () => database.transact(statements.map((text) => ({ text, parameters: [] }))),
    ];
    for (let round = 0; round < 4; round++) {
      const inTransaction = Array.from({ length: 12 }, (_, i) => kinds[i % 2]!());
      const ended = Promise.allSettled(inTransaction);
      await sleep(300);
      await server!.halt(round === 1 ? "fast" : "immediate");
      for (const one of await ended)
        expect(asCollapsarError((one as PromiseRejectedResult).reason)).toMatchObject({ code: "database-unavailable" });
      for (const transact of kinds) await expect(transact()).rejects.toThrow();
      await server!.resume();
      const begun = performance.now();
      const answers = Array.from({ length: 20 }, () => database.orm.transaction((orm) => orm.execute(sql`select 1`)));
      for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ rows: [{ "?column?": 1 }] });
      expect(performance.now() - begun).toBeLessThan(2000);
    }
  });

  it("fails a queue that is opened meanwhile, as what asks it directly", async () => {
    await server!.halt("fast");
    const unavailable = { code: "database-unavailable", retryable: true };
    await expect(openQueue(database, () => {})).rejects.toMatchObject(unavailable);
    await expect(database.orm.transaction(async () => {})).rejects.toMatchObject(unavailable);
    await expect(database.transact([{ text: "select 1", parameters: [] }])).rejects.toMatchObject(unavailable);
    await expect(ask()).rejects.toMatchObject({ cause: unavailable });
    await server!.resume();
  });

  it("holds up nobody who closes it", async () => {
    await server!.halt("fast");
    const asked = Array.from({ length: 20 }, () => ask().then(String, asCollapsarError));
    await sleep(20); // some wait for a connection, some for their turn
    const begun = performance.now();
    await database.close();
    expect(performance.now() - begun).toBeLessThan(8000);
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ code: "database-unavailable" });
    await server!.resume();
  });
});

it("is known by what the queue's driver says without a code, or in an object that is no Error", () => {
  const errors = [
    new Error("Connection terminated unexpectedly"),
    new Error("timeout exceeded when trying to connect"),
    new Error("timeout expired"),
    new Error("LISTEN/NOTIFY connection ended"),
    { code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:5432", queue: "evaluate" },
    { code: "57P01", message: "terminating connection due to administrator command" },
  ];
  for (const error of errors)
    expect(asDatabaseError(error)).toMatchObject({ code: "database-unavailable", retryable: true });
  const others = [new Error("Connection to the past"), { code: "42P01", message: "no such table" }, "ECONNRESET", null];
  for (const error of others) expect(asDatabaseError(error)).toBe(error);
});
