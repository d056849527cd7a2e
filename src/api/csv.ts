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

/** The cell of a row in each column, by the heading. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => Cell>>;

/** Returns `rows` as a CSV answer with these columns. */
export function csvTable<Row>(context: Context, columns: Columns<Row>, rows: readonly Row[]): Response {
  const cells = Object.values(columns);
  return csvResponse(
    context,
    Object.keys(columns),
    rows.map((row) => cells.map((cell) => cell(row))),
  );
}

/** Returns the `columns` of a part of a row, their headings led by `prefix`. */
export function columnsOf<Row, Part>(prefix: string, part: (row: Row) => Part, columns: Columns<Part>): Columns<Row> {
  return Object.fromEntries(
    Object.entries(columns).map(([heading, cell]) => [`${prefix}_${heading}`, (row: Row) => cell(part(row))]),
  );
}
