/** A column of a terminal table: its heading, and whether its cells stand at the left (words) or the right (numbers). */
export interface Column {
  readonly heading: string;
  readonly align?: "left" | "right";
  /** Left out where the terminal is too narrow for all columns. */
  readonly optional?: boolean;
  /** Words that are not broken into lines, for they are to be copied. */
  readonly unbroken?: boolean;
}

type Row = readonly string[];

/** Words are not broken into columns narrower than this. */
const LEAST_WORDS = 12;
const GAP = 2;

/**
 * Returns the rows under their headings, two spaces apart, numbers with their points in one line. Where a table is wider
 * than `width` (by default the terminal; without one there is no limit), optional columns are left out, then words are
 * broken into lines, and then what still finds no room stands in tables below, each with the first column again.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  width = process.stdout.columns ?? Number.POSITIVE_INFINITY,
): string {
  const cells = columns.map((column, i) => {
    const values = rows.map((row) => row[i]!);
    return { column, values: column.align === "left" ? values : alignPoints(values) };
  });
  const widthOf = (all: readonly Cells[]) => all.reduce((sum, each) => sum + widest(each) + GAP, -GAP);
  const kept = widthOf(cells) <= width ? cells : cells.filter(({ column }) => !column.optional);
  const excess = widthOf(kept) - width;
  return excess <= 0 ? draw(kept, kept.map(widest)) : fold(kept, width);
}

interface Cells {
  readonly column: Column;
  readonly values: readonly string[];
}

const widest = ({ column, values }: Cells) => Math.max(column.heading.length, ...values.map((value) => value.length));

/** Breaks words as far as that helps, and moves the columns that still find no room into tables below. */
function fold([first, ...rest]: readonly Cells[], width: number): string {
  const natural = [first!, ...rest].map(widest);
  const least = [first!, ...rest].map(({ column }, i) =>
    column.align === "left" && !column.unbroken ? Math.min(natural[i]!, LEAST_WORDS) : natural[i]!,
  );
  const blocks: number[][] = [[]];
  const used = (block: readonly number[]) => [0, ...block].reduce((sum, i) => sum + least[i]! + GAP, -GAP);
  for (const i of rest.keys()) {
    const block = blocks.at(-1)!;
    if (block.length > 0 && used([...block, i + 1]) > width) blocks.push([i + 1]);
    else block.push(i + 1);
  }
  return blocks
    .map((block) => {
      const indices = [0, ...block];
      const members = indices.map((i) => (i === 0 ? first! : rest[i - 1]!));
      const spare = width - used(block);
      return draw(
        members,
        share(
          indices.map((i) => [least[i]!, natural[i]!]),
          spare,
        ),
      );
    })
    .join("\n\n");
}

/** Returns widths from the least ones on, the spare columns given one by one to who has least of what it wants. */
function share(limits: readonly (readonly [least: number, natural: number])[], spare: number): number[] {
  const widths = limits.map(([least]) => least);
  for (let left = spare; left > 0; left--) {
    const wanting = limits.flatMap(([, natural], i) => (widths[i]! < natural ? [i] : []));
    if (wanting.length === 0) break;
    widths[wanting.reduce((a, b) => (widths[b]! < widths[a]! ? b : a))]!++;
  }
  return widths;
}

function draw(cells: readonly Cells[], widths: readonly number[]): string {
  const height = cells[0]!.values.length;
  const line = (texts: readonly string[]) => {
    const broken = texts.map((text, i) => (text.length > widths[i]! ? wrap(text, widths[i]!) : [text]));
    const lines = Math.max(...broken.map(({ length }) => length));
    return Array.from({ length: lines }, (_, at) =>
      broken
        .map((parts, i) => pad(parts[at] ?? "", widths[i]!, cells[i]!.column))
        .join(" ".repeat(GAP))
        .trimEnd(),
    ).join("\n");
  };
  const rule = widths.map((width) => "─".repeat(width)).join("─".repeat(GAP));
  const rows = Array.from({ length: height }, (_, row) => line(cells.map(({ values }) => values[row]!)));
  return [line(cells.map(({ column }) => column.heading)), rule, ...rows].join("\n");
}

const pad = (text: string, width: number, { align }: Column) =>
  align === "left" ? text.padEnd(width) : text.padStart(width);

/** A number, perhaps with ± a second, and whatever follows. */
const NUMBER = /^(-?\d+)(\.\d+|)(e-?\+?\d+|)(?: ± (\d+)(\.\d+|)(e-?\+?\d+|))?(.*)$/;

/** Returns the cells, numbers filled up so that at the right margin their points stand in one line; others as they are. */
function alignPoints(values: readonly string[]): string[] {
  const matches = values.map((value) => NUMBER.exec(value));
  const parts = matches.map(
    (match) => match && [match[1]!, match[2]! + match[3]!, match[4], (match[5] ?? "") + (match[6] ?? ""), match[7]!],
  );
  const longest = (i: number) => Math.max(0, ...parts.map((part) => part?.[i]?.length ?? 0));
  const [, decimals, whole, halfDecimals, tail] = [0, 1, 2, 3, 4].map(longest) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return parts.map((part, i) => {
    if (!part) return values[i]!;
    const half = part[2] === undefined ? "" : ` ± ${part[2].padStart(whole)}${part[3]!.padEnd(halfDecimals)}`;
    return (
      part[0]! +
      part[1]!.padEnd(decimals) +
      half.padEnd(whole > 0 ? 3 + whole + halfDecimals : 0) +
      part[4]!.padEnd(tail)
    );
  });
}

/** Returns `text` in lines of at most `width` characters, broken at spaces, or after : / - . or anywhere where it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const sign = Math.max(...[":", "/", "-", "_"].map((each) => rest.lastIndexOf(each, width - 1)));
    const at = space > 0 ? space : sign > 0 ? sign + 1 : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** Returns a number as people read it in a table: four significant digits; full precision is for `--json`. */
export function formatNumber(value: number | null): string {
  if (value === null) return "–";
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}
