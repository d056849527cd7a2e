import * as Plot from "@observablehq/plot";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";

type Collapse = NonNullable<EvaluationDetails["collapse"]>;

/** Colours stand for this distance from the simplex at least, so that a collapsed network looks collapsed. */
const LEAST_SPAN = 0.2;

/** More classes than these are not written at the axes. */
const MOST_NAMED = 20;

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly cosine: number;
}

/** Returns the cosines (C×C by rows) between classes as a map: white where they are those of the simplex. */
export function drawCosines(cosines: readonly number[], classes: number, width: number) {
  const simplex = -1 / (classes - 1);
  const cells = cosines
    .map((cosine, i): Cell => ({ row: Math.floor(i / classes), column: i % classes, cosine }))
    .filter(({ row, column }) => row !== column);
  const span = Math.max(LEAST_SPAN, ...cells.map(({ cosine }) => Math.abs(cosine - simplex)));
  const axis = { ticks: classes > MOST_NAMED ? [] : undefined, tickSize: 0, label: null };
  return Plot.plot({
    ...{ width, height: Math.min(width, 320), className: "plot", marginLeft: 28, marginBottom: 28, padding: 0.02 },
    x: { ...axis, type: "band" },
    y: { ...axis, type: "band" },
    color: {
      type: "diverging",
      domain: [simplex - span, simplex + span],
      pivot: simplex,
      range: ["#2166ac", "#f5f5f2", "#d6711a"],
      interpolate: "lab",
    },
    marks: [
      Plot.cell(cells, {
        ...{ x: "column", y: "row", fill: "cosine" },
        title: ({ row, column, cosine }: Cell) =>
          `classes ${row} and ${column}: ${cosine.toFixed(4)}, ${(cosine - simplex).toFixed(4)} from the simplex`,
      }),
    ],
  });
}

/** Returns the variance within each class over the square of the distance of its mean from the global mean. */
export function drawClassVariance({ within_class_variance, between_class_square }: Collapse, width: number) {
  const bars = within_class_variance.map((variance, label) => ({
    label,
    ratio: variance / between_class_square[label]!,
  }));
  const mean = bars.reduce((sum, { ratio }) => sum + ratio, 0) / bars.length;
  return Plot.plot({
    ...{ width, height: Math.min(width, 320), className: "plot", marginLeft: 50, marginBottom: MARGIN_BOTTOM },
    x: {
      type: "band",
      label: "class",
      labelOffset: LABEL_OFFSET,
      ticks: bars.length > MOST_NAMED ? [] : undefined,
      tickSize: 0,
    },
    y: { label: "↑ within / between", grid: true, ticks: 5 },
    marks: [
      Plot.barY(bars, {
        x: "label",
        y: "ratio",
        fill: "var(--group-0)",
        fillOpacity: 0.75,
        title: ({ label, ratio }) => `class ${label}: ${ratio.toPrecision(4)}`,
      }),
      Plot.ruleY([mean], { stroke: "var(--group-1)", strokeDasharray: "4 3" }),
      Plot.ruleY([0]),
    ],
  });
}
