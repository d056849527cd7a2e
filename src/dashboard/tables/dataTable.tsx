import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Cell, type CsvTable, type LatexTable, saveCsv, saveLatex } from "./exportTable.ts";

/** A column of a CSV. */
export interface Part<Row> {
  readonly heading: string;
  readonly value: (row: Row) => Cell;
}

/** A column: the value of its cells is sorted by and saved, what is shown may say more. */
export interface Column<Row> {
  readonly heading: string;
  readonly value: (row: Row) => Cell;
  /** As people read it; the value itself where not given. */
  readonly text?: (row: Row) => string;
  readonly show?: (row: Row) => ComponentChildren;
  /** What a CSV has in place of the value: of a mean also its interval, each number in a column of its own. */
  readonly parts?: readonly Part<Row>[];
  /** What the heading means. */
  readonly title?: string;
}

/** Returns the columns of a CSV for both ends of an interval of `name`. */
export function intervalParts<Row>(
  name: string,
  interval: (row: Row) => readonly [number, number] | null,
): readonly Part<Row>[] {
  return [
    { heading: `${name} low`, value: (row) => interval(row)?.[0] ?? null },
    { heading: `${name} high`, value: (row) => interval(row)?.[1] ?? null },
  ];
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly fileName: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Says what stands above a row when it differs from the row before; such a table keeps its order. */
  readonly sectionOf?: (row: Row) => string;
  readonly empty?: ComponentChildren;
}

interface Order {
  readonly column: number;
  readonly descending: boolean;
}

/** A table that is sorted by its headings and saved as CSV and LaTeX; the first column names the rows. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, fileName, columns, rows, keyOf, sectionOf, empty } = props;
  const [order, setOrder] = useState<Order | null>(null);
  const sorted = order && columns[order.column] ? sortedBy(rows, columns[order.column]!.value, order.descending) : rows;
  if (rows.length === 0) return <div class="empty">{empty ?? "Nothing here."}</div>;
  return (
    <div class="table-block">
      <div class="table-head">
        <p class="table-title">{caption}</p>
        <span class="saves">
          <button
            type="button"
            aria-label={`Save ${caption} as CSV`}
            onClick={() => saveCsv(toCsv(columns, sorted), fileName)}
          >
            CSV
          </button>
          <button
            type="button"
            aria-label={`Save ${caption} as LaTeX`}
            onClick={() => saveLatex(toLatex(columns, sorted, order ? undefined : sectionOf), fileName)}
          >
            LaTeX
          </button>
        </span>
      </div>
      <section class="scroll" aria-label={caption}>
        <table aria-label={caption}>
          <thead>
            <tr>
              {columns.map((column, i) => (
                <Heading
                  key={column.heading}
                  column={column}
                  index={i}
                  order={order}
                  setOrder={setOrder}
                  isNumber={isNumber(rows, column)}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row, i) => (
              <Line
                key={keyOf(row)}
                row={row}
                columns={columns}
                section={order ? null : newSection(sorted, i, sectionOf)}
              />
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly index: number;
  readonly order: Order | null;
  readonly setOrder: (order: Order | null) => void;
  readonly isNumber: boolean;
}

function Heading<Row>({ column, index, order, setOrder, isNumber }: HeadingProps<Row>) {
  const own = order?.column === index ? order : null;
  const next = own?.descending ? null : { column: index, descending: own !== null };
  const sort = own ? (own.descending ? "descending" : "ascending") : "none";
  return (
    <th scope="col" aria-sort={sort} class={isNumber ? "number" : ""} title={column.title}>
      <button type="button" onClick={() => setOrder(next)}>
        {column.heading}
        <span aria-hidden="true">{own ? (own.descending ? " ▾" : " ▴") : ""}</span>
      </button>
    </th>
  );
}

function Line<Row>({ row, columns, section }: { row: Row; columns: readonly Column<Row>[]; section: string | null }) {
  return (
    <>
      {section !== null && (
        <tr class="section">
          <th scope="colgroup" colSpan={columns.length}>
            {section}
          </th>
        </tr>
      )}
      <tr>
        {columns.map((column, i) => {
          const content = column.show ? column.show(row) : textOf(column, row);
          const kind = typeof column.value(row) === "string" ? "" : "number";
          return i === 0 ? (
            <th key={column.heading} scope="row">
              {content}
            </th>
          ) : (
            <td key={column.heading} class={kind}>
              {content}
            </td>
          );
        })}
      </tr>
    </>
  );
}

function newSection<Row>(rows: readonly Row[], i: number, sectionOf?: (row: Row) => string): string | null {
  const section = sectionOf?.(rows[i]!) ?? null;
  return i > 0 && sectionOf?.(rows[i - 1]!) === section ? null : section;
}

function sortedBy<Row>(rows: readonly Row[], value: (row: Row) => Cell, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null); // what is not known comes last
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}

function toCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): CsvTable {
  const parts = columns.flatMap((column): readonly Part<Row>[] => column.parts ?? [column]);
  return {
    headings: parts.map(({ heading }) => heading),
    cells: rows.map((row) => parts.map(({ value }) => value(row))),
  };
}

function toLatex<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  sectionOf?: (row: Row) => string,
): LatexTable {
  return {
    headings: columns.map(({ heading }) => heading),
    numeric: columns.map((column) => isNumber(rows, column)),
    rows: rows.map((row, i) => ({
      section: newSection(rows, i, sectionOf),
      texts: columns.map((column) => textOf(column, row)),
    })),
  };
}

function textOf<Row>({ text, value }: Column<Row>, row: Row): string {
  return text ? text(row) : String(value(row) ?? "–");
}

function isNumber<Row>(rows: readonly Row[], { value }: Column<Row>): boolean {
  return rows.every((row) => typeof value(row) !== "string");
}
