import { stringify } from "csv-stringify/sync";
import type { Context } from "hono";

/** A value of a cell; null is an empty cell, numbers keep full precision. */
export type Cell = string | number | boolean | null;

/** Returns `rows` under a heading of `columns` as a CSV answer (RFC 4180). Cells a spreadsheet would run are escaped. */
export function csvResponse(
  context: Context,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): Response {
  const text = stringify([columns, ...rows] as Cell[][], {
    escape_formulas: true,
    // full precision, and no quote before a negative number
    cast: { number: (value) => ({ value: String(value), escape_formulas: false }) },
  });
  return context.body(text, 200, { "content-type": "text/csv; charset=utf-8" });
}
