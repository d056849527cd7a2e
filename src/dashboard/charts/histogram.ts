import * as Plot from "@observablehq/plot";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";

type Histogram = NonNullable<NonNullable<EvaluationDetails["ood"]>[string][string]["histogram"]>;

/** Returns how a score lies over the test set and over an OoD set, each as shares of its own samples. */
export function drawHistogram({ lower, upper, id, ood }: Histogram, set: string, width: number) {
  const step = (upper - lower) / id.length;
  const sharesOf = (counts: readonly number[], name: string) => {
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    return counts.map((count, k) => ({
      from: lower + k * step,
      to: lower + (k + 1) * step,
      share: count / total,
      name,
    }));
  };
  const parts = [
    { shares: sharesOf(id, "test set"), colour: "var(--group-0)" },
    { shares: sharesOf(ood, set), colour: "var(--group-1)" },
  ];
  return Plot.plot({
    ...{ width, height: 280, className: "plot", marginLeft: 44, marginBottom: MARGIN_BOTTOM },
    x: {
      label: "score, higher is more out of distribution →",
      labelOffset: LABEL_OFFSET,
      ticks: Math.max(3, Math.floor(width / 80)),
    },
    y: { label: "↑ share of samples", grid: true, tickFormat: "%", ticks: 5 },
    marks: [
      ...parts.flatMap(({ shares, colour }) => [
        Plot.rectY(shares, { x1: "from", x2: "to", y: "share", fill: colour, fillOpacity: 0.3 }),
        Plot.line(shares, { x: ({ from }) => from, y: "share", curve: "step-after", stroke: colour, strokeWidth: 1.4 }),
      ]),
      ...parts.map(({ shares, colour }, line) =>
        Plot.text([shares[0]!.name], {
          ...{ frameAnchor: "top-right", lineAnchor: "top", fontWeight: 600, fill: colour },
          ...{ dx: -4, dy: 4 + 14 * line },
        }),
      ),
      Plot.ruleY([0]),
    ],
  });
}
