import { sql } from "drizzle-orm";
import type { Queries } from "./database.ts";
import { evaluations } from "./schema.ts";
import type { EvaluationStatus } from "./states.ts";

/** How many evaluations there are of a status and, of those that failed, an error. */
export interface EvaluationCount {
  readonly status: EvaluationStatus;
  /** Of the error; empty where the evaluation has not failed. */
  readonly code: string;
  readonly count: number;
}

/** Returns how many evaluations there are. Only those that failed are looked at themselves: all others the index counts. */
export function countEvaluations({ orm }: Queries): Promise<EvaluationCount[]> {
  const { status, error } = evaluations;
  const count = sql<number>`count(*)::int`;
  const code = sql<string>`coalesce(${error} ->> 'code', '')`;
  return orm
    .select({ status, code: sql<string>`''`, count })
    .from(evaluations)
    .where(sql`${status} <> 'failed'`)
    .groupBy(status)
    .unionAll(
      orm.select({ status, code, count }).from(evaluations).where(sql`${status} = 'failed'`).groupBy(status, code),
    );
}
