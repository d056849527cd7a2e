/** Does work when all that was given before it is done, and returns what it returns. */
export type InTurn = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Returns what does work one after the other. What is aborted before its turn is not done, and rejects with the reason. */
export function inTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const done = last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    last = done.catch(() => {});
    return done;
  };
}
