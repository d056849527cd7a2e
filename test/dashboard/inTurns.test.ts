import { expect, it } from "vitest";
import { inTurns } from "../../src/dashboard/inTurns.ts";

const never = new AbortController().signal;

it("work is done one after the other, in the order in which it was given, whatever comes of it", async () => {
  const inTurn = inTurns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    log.push(`${name} ends`);
    if (name === "b") throw new Error("b failed");
    return name;
  };
  const done = await Promise.allSettled(["a", "b", "c"].map((name) => inTurn(work(name), never)));
  expect(log).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect(done).toEqual([
    { status: "fulfilled", value: "a" },
    { status: "rejected", reason: new Error("b failed") },
    { status: "fulfilled", value: "c" },
  ]);
});

it("work that is aborted before its turn is not begun, and holds up nothing", async () => {
  const inTurn = inTurns();
  const abort = new AbortController();
  const begun: string[] = [];
  const first = inTurn(async () => begun.push("first"), never);
  const unwanted = inTurn(async () => begun.push("unwanted"), abort.signal);
  const last = inTurn(async () => begun.push("last"), never);
  abort.abort();
  await expect(unwanted).rejects.toThrow(/abort/);
  await Promise.all([first, last]);
  expect(begun).toEqual(["first", "last"]);
});
