import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { together } from "../../src/jobs/together.ts";

/** Does its work only when it is told to, and remembers what it was asked. */
function recorder(refused: (item: number) => boolean = () => false, meetsAll = () => false) {
  const calls: (readonly number[])[] = [];
  const next: (() => void)[] = [];
  const one = together(async (items: readonly number[]) => {
    calls.push(items);
    await new Promise<void>((resolve) => next.push(resolve));
    if (items.some(refused)) throw new Error(`not ${items.find(refused)}`);
    return items.map((item) => item * 10);
  }, meetsAll);
  const letAllEnd = async () => {
    for (let round = 0; round < 10; round++) {
      next.shift()?.();
      await setImmediate();
    }
  };
  return { calls, one, letAllEnd };
}

it("does in one call what is asked in one turn, and in one further call what is asked meanwhile", async () => {
  const { calls, one, letAllEnd } = recorder();
  const asked = [1, 2].map(one);
  await setImmediate();
  asked.push(...[3, 4].map(one));
  await setImmediate();
  asked.push(one(5));
  expect(calls).toEqual([[1, 2]]);
  await letAllEnd();
  expect(calls).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  expect(await Promise.all(asked)).toEqual([10, 20, 30, 40, 50]);
  const later = one(5);
  await letAllEnd();
  expect(await later).toBe(50);
});

it("does no more than a hundred at once", async () => {
  const { calls, one, letAllEnd } = recorder();
  const asked = Array.from({ length: 251 }, (_, i) => one(i));
  await letAllEnd();
  await Promise.all(asked);
  expect(calls.map(({ length }) => length)).toEqual([100, 100, 51]);
});

it("fails alone what cannot be done, and does the others", async () => {
  const { calls, one, letAllEnd } = recorder((item) => item === 3);
  const asked = [1, 2, 3, 4].map(one);
  const ended = Promise.allSettled(asked);
  await letAllEnd();
  const [first, second, third, fourth] = await ended;
  expect([first, second, fourth]).toMatchObject([{ value: 10 }, { value: 20 }, { value: 40 }]);
  expect(third).toMatchObject({ reason: new Error("not 3") });
  expect(calls).toEqual([[1, 2, 3, 4], [1], [2], [3], [4]]);
});

it("tries none by itself where each would meet the same error", async () => {
  const { calls, one, letAllEnd } = recorder(
    () => true,
    () => true,
  );
  const ended = Promise.allSettled([1, 2, 3].map(one));
  await letAllEnd();
  expect(await ended).toMatchObject(Array.from({ length: 3 }, () => ({ reason: new Error("not 1") })));
  expect(calls).toEqual([[1, 2, 3]]);
});
