import * as Plot from "@observablehq/plot";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";

type Bin = NonNullable<EvaluationDetails["calibration"]>[string]["bins"][number];

/** Returns accuracy over confidence: a step per bin, the gap to the diagonal, and below it how many samples each bin has. */
export function drawReliability(bins: readonly Bin[], width: number) {
  const filled = bins.filter(({ count }) => count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  return Plot.plot({
    ...{ width, height: 280, className: "plot", marginLeft: 44, marginBottom: MARGIN_BOTTOM, grid: true },
    x: { domain: [0, 1], label: "confidence →", labelOffset: LABEL_OFFSET, ticks: 5 },
    y: { domain: [0, 1], label: "↑ accuracy", ticks: 5 },
    marks: [
      Plot.rectY(filled, {
        x1: "lower",
        x2: "upper",
        y: ({ count }: Bin) => count / total,
        fill: "var(--quiet)",
        fillOpacity: 0.22,
      }),
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: "var(--quiet)", strokeDasharray: "3 3" },
      ),
      Plot.ruleX(filled, {
        x: "confidence",
        y1: "confidence",
        y2: "accuracy",
        stroke: "var(--group-1)",
        strokeWidth: 2,
      }),
      Plot.line(filled, { x: "confidence", y: "accuracy", stroke: "var(--group-0)", strokeWidth: 1.5 }),
      Plot.dot(filled, {
        ...{ x: "confidence", y: "accuracy", fill: "var(--group-0)", r: 3 },
        title: ({ count, lower, upper }: Bin) => `${count} samples from ${lower.toFixed(2)} to ${upper.toFixed(2)}`,
      }),
      Plot.text(["bars: share of samples"], { frameAnchor: "top-left", dx: 6, dy: 6, fill: "var(--muted)" }),
    ],
  });
}
