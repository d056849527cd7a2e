import type { Database } from "../database/database.ts";
import { findUnwanted } from "../database/evaluations.ts";
import type { Failure } from "../database/schema.ts";
import type { Life } from "../database/states.ts";

/** A cancelled evaluation is to stop within 2 s: this, the rest of a batch, and time to spare. */
const LOOK_MILLISECONDS = 500;

/** What this process works at, watched for those that nobody waits for any more. */
export interface Watch {
  /**
   * Returns a signal that is aborted when the evaluation has ended, or was queued anew, and a function that says that the
   * work at it has ended.
   */
  begin(life: Life): { readonly ended: AbortSignal; readonly done: () => void };
}

/**
 * Returns a watch that looks into the database twice a second while there is work: whoever cancels an evaluation may be
 * in any process. One that is at work for longer than its request allows is given to `fail`.
 */
export function watchOver(
  database: Database,
  fail: (life: Life, error: Failure) => Promise<void>,
  onError: (error: unknown) => void,
): Watch {
  const atWork = new Map<Life, AbortController>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const { ended, overdue } = await findUnwanted(database, [...atWork.keys()]);
    for (const life of overdue)
      await fail(life, {
        code: "timed-out",
        message: `it was not done in the ${life.seconds} s that its request allows`,
      });
    const late = new Set(overdue.map(({ id }) => id));
    for (const [life, controller] of atWork) if (ended.includes(life) || late.has(life.id)) controller.abort();
  }

  function lookLater(): void {
    timer = setTimeout(async () => {
      await look().catch(onError);
      if (atWork.size > 0) lookLater();
      else timer = undefined;
    }, LOOK_MILLISECONDS);
  }

  return {
    begin({ id, generation }) {
      const life = { id, generation };
      const controller = new AbortController();
      atWork.set(life, controller);
      if (!timer) lookLater();
      return {
        ended: controller.signal,
        done() {
          atWork.delete(life);
          if (atWork.size > 0) return;
          clearTimeout(timer);
          timer = undefined;
        },
      };
    },
  };
}
