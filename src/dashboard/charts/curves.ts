import * as Plot from "@observablehq/plot";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import type { GroupStyle } from "./colours.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";

type Curves = NonNullable<EvaluationDetails["ood"]>[string][string];

/** The curves of a score. */
export interface NamedCurves extends Curves {
  readonly name: string;
  readonly style: GroupStyle;
}

const HEIGHT = 280;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Axes {
  readonly x: string;
  readonly y: string;
  readonly width: number;
}

/** Returns the ROC curve of `score` in its colour, those of all other scores behind it, and the diagonal of chance. */
export function drawRoc(curves: readonly NamedCurves[], score: string, width: number) {
  const lines = curves.map(({ roc, ...curve }) => ({ ...curve, points: zip(roc.fpr, roc.tpr) }));
  const chance = Plot.line(
    [
      [0, 0],
      [1, 1],
    ],
    { stroke: "var(--quiet)", strokeDasharray: "3 3" },
  );
  return drawUnitSquare(lines, score, { x: "false positive rate →", y: "↑ true positive rate", width }, chance);
}

/** Returns precision over recall of `score` in its colour, OoD positive, and those of all other scores behind it. */
export function drawPrecisionRecall(curves: readonly NamedCurves[], score: string, width: number) {
  const lines = curves.map(({ pr_ood, ...curve }) => ({ ...curve, points: zip(pr_ood.recall, pr_ood.precision) }));
  return drawUnitSquare(lines, score, { x: "recall →", y: "↑ precision", width });
}

interface CurveLine {
  readonly name: string;
  readonly style: GroupStyle;
  readonly points: readonly Point[];
}

function drawUnitSquare(lines: readonly CurveLine[], score: string, { x, y, width }: Axes, ...below: Plot.Markish[]) {
  const chosen = lines.filter(({ name }) => name === score);
  return Plot.plot({
    ...{ width, height: HEIGHT, className: "plot", marginLeft: 44, marginBottom: MARGIN_BOTTOM, grid: true },
    x: { domain: [0, 1], label: x, labelOffset: LABEL_OFFSET, ticks: 5 },
    y: { domain: [0, 1], label: y, ticks: 5 },
    marks: [
      ...below,
      ...lines.map(({ points }) =>
        Plot.line(points, { x: "x", y: "y", stroke: "var(--quiet)", strokeWidth: 0.8, strokeOpacity: 0.6 }),
      ),
      ...chosen.map(({ points, style }) =>
        Plot.line(points, { x: "x", y: "y", stroke: style.colour, strokeWidth: 2.2 }),
      ),
      Plot.text([score], {
        ...{ frameAnchor: "bottom-right", dx: -8, dy: -8, fontWeight: 600 },
        fill: chosen[0]?.style.colour ?? "currentColor",
      }),
    ],
  });
}

function zip(x: readonly number[], y: readonly number[]): Point[] {
  return x.map((value, i) => ({ x: value, y: y[i]! }));
}
