/** A column of a terminal table: its heading, and whether its cells stand at the left (words) or the right (numbers). */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
}

/** Returns the rows under their headings, columns padded to their widest cell and two spaces apart. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ heading }, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.align === "left" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  return [line(columns.map(({ heading }) => heading)), rule, ...rows.map(line)].join("\n");
}

/** Returns a number as people read it in a table: four significant digits; full precision is for `--json`. */
export function formatNumber(value: number | null): string {
  if (value === null) return "–";
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}
