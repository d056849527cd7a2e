/** Marks a statement that removes what no release uses any more; docs/operations.md tells when. */
const CONTRACT = /^--\s*contract: unused since \d+\.\d+/m;

/** What an older release, which still runs, may trip over. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\bDROP (TABLE|COLUMN|TYPE|SCHEMA|VIEW|DEFAULT)\b/i, "drops what an older release uses"],
  [/\bRENAME\b/i, "renames what an older release uses"],
  [/\bSET NOT NULL\b/i, "forbids a null that an older release writes"],
  [/\bSET DATA TYPE\b|\bALTER COLUMN \S+ TYPE\b/i, "retypes what an older release uses"],
  [/\b(TRUNCATE|DELETE FROM)\b/i, "deletes rows"],
];

/**
 * Returns what of a migration's SQL may break releases that still run on the database, or lose rows: nothing, where it
 * only adds and fills what it added.
 */
export function unsafeStatements(migration: string): string[] {
  const made = new Set([...migration.matchAll(/CREATE TABLE "(\w+)"/gi)].map(([, table]) => table!));
  const added = new Set([...migration.matchAll(/ADD COLUMN "(\w+)"/gi)].map(([, column]) => column!));
  return migration.split(/-->\s*statement-breakpoint|;/).flatMap((part) => {
    const statement = part.replace(/^--.*$/gm, "").trim();
    if (statement === "" || CONTRACT.test(part)) return [];
    const reasons = FORBIDDEN.filter(([pattern]) => pattern.test(statement)).map(([, why]) => why);
    const table = /^(?:ALTER TABLE|CREATE UNIQUE INDEX .* ON) "(\w+)"/i.exec(statement)?.[1];
    if (table !== undefined && !made.has(table)) {
      if (/^CREATE UNIQUE INDEX|ADD CONSTRAINT/i.test(statement))
        reasons.push("refuses rows that an older release writes");
      if (/ADD COLUMN/i.test(statement) && /NOT NULL/i.test(statement) && !/DEFAULT|GENERATED/i.test(statement))
        reasons.push("adds a column that an older release leaves empty, without a default");
    }
    const set = /^UPDATE .*? SET (.*?)(?: FROM | WHERE |$)/is.exec(statement)?.[1];
    const written = [...(set ?? "").matchAll(/(?:^|, )"(\w+)" = /g)].map(([, column]) => column!);
    if (written.some((column) => !added.has(column))) reasons.push("changes a column that it has not added");
    return reasons.map((why) => `${why}: ${statement}`);
  });
}
