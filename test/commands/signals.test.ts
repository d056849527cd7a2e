import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { untilToldToStop } from "../../src/commands/signals.ts";

it("the first signal is still listened for while others hear of it, and the second no more", async () => {
  const before = process.listenerCount("SIGTERM");
  const told = untilToldToStop();
  // signal-exit, by which terminal programs restore the cursor, ends the process where it finds no listener but its own
  let listening = 0;
  const other = () => {
    listening = process.listenerCount("SIGTERM");
  };
  process.on("SIGTERM", other);
  process.emit("SIGTERM", "SIGTERM");
  expect(await told).toBe("SIGTERM");
  expect(listening).toBe(before + 2);
  await setImmediate();
  expect(process.listenerCount("SIGTERM")).toBe(before + 1);
  process.off("SIGTERM", other);
});
