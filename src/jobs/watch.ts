import type { Database } from "../database/database.ts";
import { findUnwanted } from "../database/evaluations.ts";
import type { Failure } from "../database/schema.ts";

/** A cancelled evaluation is to stop within 2 s: this, the rest of a batch, and time to spare. */
const LOOK_MILLISECONDS = 500;

/** What this process works at, watched for those that nobody waits for any more. */
export interface Watch {
  /** Returns a signal that is aborted when the evaluation has ended, and a function that says that the work at it has. */
  begin(evaluation: string): { readonly ended: AbortSignal; readonly done: () => void };
}

/**
 * Returns a watch that looks into the database twice a second while there is work: whoever cancels an evaluation may be
 * in any process. One that is at work for longer than its request allows is given to `fail`.
 */
export function watchOver(
  database: Database,
  fail: (evaluation: string, error: Failure) => Promise<void>,
  onError: (error: unknown) => void,
): Watch {
  const atWork = new Set<{ readonly evaluation: string; readonly ended: AbortController }>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const { ended, overdue } = await findUnwanted(database, [...new Set([...atWork].map((one) => one.evaluation))]);
    for (const { id, seconds } of overdue)
      await fail(id, { code: "timed-out", message: `it was not done in the ${seconds} s that its request allows` });
    const unwanted = new Set([...ended, ...overdue.map(({ id }) => id)]);
    for (const one of atWork) if (unwanted.has(one.evaluation)) one.ended.abort();
  }

  function lookLater(): void {
    timer = setTimeout(async () => {
      await look().catch(onError);
      if (atWork.size > 0) lookLater();
      else timer = undefined;
    }, LOOK_MILLISECONDS);
  }

  return {
    begin(evaluation) {
      const one = { evaluation, ended: new AbortController() };
      atWork.add(one);
      if (!timer) lookLater();
      return {
        ended: one.ended.signal,
        done() {
          atWork.delete(one);
          if (atWork.size > 0) return;
          clearTimeout(timer);
          timer = undefined;
        },
      };
    },
  };
}
