import { and, eq, isNotNull, not, sql } from "drizzle-orm";
import type { Queries } from "./database.ts";
import { evaluations } from "./schema.ts";

/** When an evaluation ended, and the URLs that are to be told. */
export interface Ending {
  readonly endedAt: Date;
  readonly webhooks: readonly string[];
}

/** Notes, in a transaction, that `url` is to be told when evaluation `id` has ended, which does not end meanwhile. */
export async function addWebhook({ orm }: Queries, id: string, url: string): Promise<void> {
  await orm
    .update(evaluations)
    .set({
      webhooks: sql`case when ${url} = any(${evaluations.webhooks}) then ${evaluations.webhooks} else array_append(${evaluations.webhooks}, ${url}) end`,
    })
    .where(eq(evaluations.id, id));
}

/** Returns how evaluation `id` ended, or null where it has not, or nobody is to be told. */
export async function findEnding({ orm }: Queries, id: string): Promise<Ending | null> {
  const [ending] = await orm
    .select({ endedAt: evaluations.finishedAt, webhooks: evaluations.webhooks })
    .from(evaluations)
    .where(and(eq(evaluations.id, id), isNotNull(evaluations.finishedAt), not(eq(evaluations.webhooks, []))));
  return ending?.endedAt ? { ...ending, endedAt: ending.endedAt } : null;
}
