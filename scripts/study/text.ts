import { formatNumber } from "../../src/commands/table.ts";
import type { Correlation } from "../../src/statistics/correlation.ts";
import type { Summary } from "../../src/statistics/summary.ts";

/** Returns `mean ± half width of the 95 % interval`. */
export function formatMean({ mean, ci95 }: Pick<Summary, "mean" | "ci95">): string {
  return ci95 ? `${formatNumber(mean)} ± ${formatNumber((ci95[1] - ci95[0]) / 2)}` : formatNumber(mean);
}

/** Returns `r [low, high]` with two decimals. */
export function formatR({ r, ci95 }: Correlation): string {
  if (r === null) return "–";
  return ci95 ? `${r.toFixed(2)} [${ci95.map((end) => end.toFixed(2)).join(", ")}]` : r.toFixed(2);
}

/** Returns a p-value; one that is too small to matter how small is `<1e-4`. */
export function formatP(p: number | null): string {
  if (p === null) return "–";
  return p < 1e-4 ? "<1e-4" : p.toPrecision(2);
}

/** Returns a table in Markdown, the first column at the left, columns padded to their widest cell. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(3, heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)].join("\n");
}
