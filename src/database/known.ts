import { inArray } from "drizzle-orm";
import type { Queries } from "./database.ts";
import { evaluations } from "./schema.ts";

/** In one statement. */
const AT_A_TIME = 1000;

/** Returns those of `objects` of whose version no evaluation was ever asked for, however it ended. */
export async function neverSubmitted<T extends { readonly url: string; readonly etag: string }>(
  { orm }: Queries,
  objects: readonly T[],
): Promise<T[]> {
  const fresh: T[] = [];
  for (let start = 0; start < objects.length; start += AT_A_TIME) {
    const some = objects.slice(start, start + AT_A_TIME);
    const rows = await orm
      .select({ url: evaluations.checkpointUrl, etag: evaluations.checkpointEtag })
      .from(evaluations)
      .where(
        inArray(
          evaluations.checkpointUrl,
          some.map(({ url }) => url),
        ),
      );
    const known = new Set(rows.map(({ url, etag }) => `${url}\n${etag}`));
    fresh.push(...some.filter(({ url, etag }) => !known.has(`${url}\n${etag}`)));
  }
  return fresh;
}
