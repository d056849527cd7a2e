import { setImmediate as nextTurn } from "node:timers/promises";

/** So many together, a transaction of the database is still short. */
const MOST = 100;

interface Waiting<T, R> {
  readonly item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Returns `work`, which does several items at once, for one item: what is asked for while a call is under way is done by the next
 * call, all of it together, so that many who ask at a time share what a call costs; the first call is for all who ask in the same
 * turn. `work` returns a result for each item, in their order; where it fails over several items each is tried by itself, so
 * that one which cannot be done fails alone, unless `meetsAll` says of the error that each would meet it.
 */
export function together<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
  meetsAll: (error: unknown) => boolean = () => false,
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = [];
  let busy = false;

  async function doWaiting(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      await nextTurn(); // the first of those that have arrived by now does not go alone
      const batch = waiting.splice(0, MOST);
      if (await settle(batch)) continue;
      for (const one of batch) await settle([one]);
    }
    busy = false;
  }

  /** Returns whether all of the batch have their result or error. */
  async function settle(batch: readonly Waiting<T, R>[]): Promise<boolean> {
    try {
      const results = await work(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
    } catch (error) {
      if (batch.length > 1 && !meetsAll(error)) return false;
      for (const { reject } of batch) reject(error);
    }
    return true;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) doWaiting();
    });
}
