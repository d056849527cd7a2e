import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { CASING } from "../../src/database/database.ts";
import type { Question } from "./questions.ts";

/** Returns what PostgreSQL does for the statements of the service and for the bare SQL, as EXPLAIN tells it. */
export async function plansOf(url: string, { ask, bare }: Question): Promise<Readonly<Record<string, string[]>>> {
  const client = postgres(url, { max: 1 });
  try {
    const statements: { query: string; params: unknown[] }[] = [];
    const logger = { logQuery: (query: string, params: unknown[]) => statements.push({ query, params }) };
    await ask({ orm: drizzle({ client, casing: CASING, logger }) });
    const explain = async (query: string, params: unknown[] = []) =>
      (await client.unsafe(`explain (analyze, timing off, summary off) ${query}`, params as string[])).map(
        (row) => row["QUERY PLAN"] as string,
      );
    const plans = statements.map(async ({ query, params }, i) => [
      `statement ${i + 1} of the service`,
      await explain(query, params),
    ]);
    return Object.fromEntries([...(await Promise.all(plans)), ["the bare SQL", await explain(bare)]]);
  } finally {
    await client.end();
  }
}
