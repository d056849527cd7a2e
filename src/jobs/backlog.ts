import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Queries } from "../database/database.ts";
import { DELIVER } from "./deliveries.ts";

/** The jobs of evaluations that have not ended, whoever works on them. */
export interface Backlog {
  /** Jobs that no worker has taken, also those that wait for another attempt. A shard is a job. */
  readonly waiting: number;
  readonly active: number;
  /** Seconds since the oldest waiting job was queued; 0 where none waits. */
  readonly oldestSeconds: number;
}

const LOOK_MILLISECONDS = 1000;

/** Returns what is left to do in the queue of the database, which must be open already. */
export async function backlogOf({ orm }: Queries): Promise<Backlog> {
  const answer = await orm.execute(sql`
      select count(*) filter (where state < 'active')::int as waiting,
             count(*) filter (where state = 'active')::int as active,
             coalesce(extract(epoch from now() - min(created_on) filter (where state < 'active')), 0)::float8 as oldest
      from pgboss.job
      where state < 'completed' and name <> ${DELIVER}`);
  const [row] = (answer as unknown as { rows: [{ waiting: number; active: number; oldest: number }] }).rows;
  return { waiting: row.waiting, active: row.active, oldestSeconds: Math.max(0, row.oldest) };
}

/**
 * Returns once no job waits and none is active, also not in another worker: if that one dies, its job comes back. Where
 * the database does not answer `onError` hears of it, and it is asked again. Aborting `signal` ends the wait too.
 */
export async function untilEmpty(
  queries: Queries,
  { signal, onError }: { signal: AbortSignal; onError: (error: unknown) => void },
): Promise<void> {
  while (!signal.aborted) {
    const left = await backlogOf(queries).catch(onError);
    if (left && left.waiting + left.active === 0) return;
    await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => {});
  }
}
