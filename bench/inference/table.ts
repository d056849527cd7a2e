import { formatTable } from "../../src/commands/table.ts";
import { formatSpread } from "../spread.ts";
import type { Judged, Row } from "./result.ts";

/** Returns the rows as a terminal table. */
export function formatRows(rows: readonly Row[]): string {
  const headings = ["images/s", "ours ÷ it", "whole command", "peak memory", "batch", "difference"];
  return formatTable(
    [{ heading: "program", align: "left" }, ...headings.map((heading) => ({ heading }))],
    rows.map(({ title, imagesPerSecond, ratio, seconds, peakMiB, batch, difference, agrees }) => [
      title,
      formatSpread(imagesPerSecond, 1),
      agrees ? formatSpread(ratio, 2) : "WRONG",
      `${seconds.median.toFixed(1)} s`,
      peakMiB ? `${peakMiB.median.toFixed(0)} MiB` : "–",
      batch === null ? "own" : String(batch),
      difference.toExponential(0),
    ]),
  );
}

/** Returns one line per target: what was asked for and what was seen. */
export function formatTargets(judged: readonly Judged[]): string {
  return judged
    .map(({ of, figure, against, bound, ratio, met }) => {
      const asked = "least" in bound ? `≥ ${bound.least}` : `≤ ${bound.most}`;
      const what = figure === "peakMiB" ? "peak memory" : "images/s";
      return `${met ? "met   " : "MISSED"}  ${what} of ${of} ÷ ${against} ${asked}: ${formatSpread(ratio, 2)}`;
    })
    .join("\n");
}
