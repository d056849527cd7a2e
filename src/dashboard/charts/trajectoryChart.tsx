import * as Plot from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import type { Trajectories } from "../../api/experimentSchemas.ts";
import { metricOf } from "../../metrics/names.ts";
import { formatNumber } from "../format.ts";
import { directionOf, labelOf, shortLabelOf } from "../metricSections.ts";
import { addBrush, type EpochRange } from "./brush.ts";
import { Chart } from "./chart.tsx";
import type { GroupStyle } from "./colours.ts";
import { addCrosshair } from "./crosshair.ts";
import { endLabels } from "./endLabels.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";
import { type DrawnChart, overlayOf } from "./overlay.ts";
import { seedLines, seedValues } from "./seedLines.ts";
import { epochTicks, logTicks } from "./ticks.ts";

/** One metric of one group over the epochs, and how it is drawn. */
export interface Line {
  readonly name: string;
  readonly style: GroupStyle;
  readonly row: Trajectories["rows"][number];
}

interface TrajectoryChartProps {
  readonly metric: string;
  readonly lines: readonly Line[];
  readonly logarithmic: boolean;
  readonly withSeeds: boolean;
  /** The epochs that are shown; null: all. */
  readonly range: EpochRange | null;
  readonly onRange: (range: EpochRange | null) => void;
  readonly fileName: string;
}

const HEIGHT = 218;

/** More lines than these have their names above the charts alone. */
const MOST_NAMED = 6;

/** One metric over the epochs: per group the mean of the seeds in the band of its 95 % interval. */
export function TrajectoryChart(props: TrajectoryChartProps) {
  const { metric, lines, logarithmic, withSeeds, range, onRange, fileName } = props;
  const points = lines.map((line) => pointsOf(line, range));
  const falls = metricOf(metric)?.better === "lower"; // what should rise ends near 1, where a logarithm tells nothing
  const isPositive = points.flat().every(({ mean }) => mean > 0);
  const isEmpty = points.every((own) => own.length === 0); // as while other groups are awaited: its domain holds 0
  const scale = logarithmic && falls && isPositive && !isEmpty ? "log" : "linear";
  const draw = useCallback(
    (width: number) => {
      const drawn = drawTrajectories({ metric, lines, withSeeds, range, scale, width });
      const overlay = overlayOf(drawn);
      addBrush(overlay, drawn, onRange);
      addCrosshair(overlay, drawn, lines);
      return [drawn, overlay] as const;
    },
    [metric, lines, withSeeds, range, scale, onRange],
  );
  const shown = lines.map(({ name }) => name).join(", ");
  return (
    <Chart
      title={`${shortLabelOf(metric)} ${directionOf(metric)}`.trim()}
      description={`${labelOf(metric)} over epochs for ${shown}`}
      fileName={fileName}
      draw={draw}
      note={logarithmic && falls && !isPositive ? "Linear: a mean is 0 here." : undefined}
    />
  );
}

interface Point {
  readonly epoch: number;
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly line: Line;
}

interface Drawn {
  readonly metric: string;
  readonly lines: readonly Line[];
  readonly withSeeds: boolean;
  readonly range: EpochRange | null;
  readonly scale: "log" | "linear";
  readonly width: number;
}

function drawTrajectories({ lines, withSeeds, range, scale, width }: Drawn): DrawnChart {
  const points = lines.flatMap((line) => pointsOf(line, range));
  const seeds = withSeeds ? seedValues(lines, range) : [];
  const floor = scale === "log" ? floorOf(points, seeds) : Number.NEGATIVE_INFINITY;
  const isNamed = lines.length <= MOST_NAMED && lines.some(({ name }) => name !== "");
  const domain = extentOf([
    ...points.flatMap(({ mean, low, high }) => [mean, Math.max(low ?? mean, floor), high ?? mean]),
    ...seeds.map((value) => Math.max(value, floor)),
  ]);
  const epochs = range ?? extentOf(points.map(({ epoch }) => epoch));
  return Plot.plot({
    width,
    height: HEIGHT,
    marginLeft: 48,
    marginRight: isNamed ? Math.min(110, 14 + 7 * Math.max(...lines.map(({ name }) => name.length))) : 14,
    marginTop: 10,
    marginBottom: MARGIN_BOTTOM,
    className: "plot",
    x: {
      label: "epoch",
      labelOffset: LABEL_OFFSET,
      ...(range && { domain: range }),
      ticks: epochTicks(epochs, width / 60),
      tickFormat: "d",
    },
    y: {
      label: null,
      type: scale,
      grid: true,
      ticks: scale === "log" ? logTicks(domain) : 5,
      tickFormat: formatNumber,
      domain,
    },
    marks: [
      Plot.areaY(points, {
        ...{ x: "epoch", z: nameOf, fill: colourOf, fillOpacity: 0.18, clip: true },
        y1: ({ low, mean }: Point) => Math.max(low ?? mean, floor),
        y2: ({ high, mean }: Point) => high ?? mean,
      }),
      withSeeds ? seedLines(lines, range) : null,
      ...lines.map((line) =>
        Plot.lineY(pointsOf(line, range), {
          ...{ x: "epoch", y: "mean", stroke: line.style.colour, strokeWidth: 1.8, clip: true },
          ...(line.style.dash !== "none" && { strokeDasharray: line.style.dash }),
        }),
      ),
      ...(isNamed
        ? endLabels(
            lines.map((line) => pointsOf(line, range)),
            { domain, scale, height: HEIGHT },
          )
        : []),
    ],
  }) as DrawnChart;
}

function nameOf({ line }: { readonly line: Line }): string {
  return line.name;
}

function colourOf({ line }: { readonly line: Line }): string {
  return line.style.colour;
}

/** A band that reaches down to 0 or below ends here: at the least value, or at a third of the least mean. */
function floorOf(points: readonly Point[], seeds: readonly number[]): number {
  const least = (values: readonly number[]) =>
    values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const means = least(points.map(({ mean }) => mean));
  const lows = [...points.map(({ low }) => low ?? means), ...seeds].filter((value) => value > 0);
  return Math.max(means / 3, Math.min(means, least(lows)));
}

function extentOf(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!Number.isFinite(low)) return [0, 1];
  return low === high ? [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2] : [low, high];
}

/** The points of a line in the range. */
function pointsOf(line: Line, range: EpochRange | null): Point[] {
  const { epochs, mean, low, high, n } = line.row;
  const points = epochs.flatMap((epoch, i) =>
    epoch === null ? [] : [{ epoch, mean: mean[i]!, low: low[i]!, high: high[i]!, n: n[i]!, line }],
  );
  return within(points, range);
}

function within<P extends { readonly epoch: number }>(points: readonly P[], range: EpochRange | null): P[] {
  if (!range) return [...points];
  const inside = points.filter(({ epoch }) => epoch >= range[0] && epoch <= range[1]);
  return inside.length > 0 ? inside : [];
}
