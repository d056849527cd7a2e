import * as Plot from "@observablehq/plot";
import { MARGIN_BOTTOM } from "./frame.ts";
import type { Line } from "./trajectoryChart.tsx";

/** Pixels from one label to the next. */
const LINE_HEIGHT = 12;

interface End {
  readonly epoch: number;
  readonly mean: number;
  readonly line: Line;
}

interface Frame {
  readonly domain: [number, number];
  readonly scale: "log" | "linear";
  readonly height: number;
}

/** Returns marks that name each line at its end, moved apart where they would lie on each other. */
export function endLabels(lines: readonly (readonly End[])[], { domain, scale, height }: Frame): Plot.Text[] {
  const y = Plot.scale({ y: { type: scale, domain, range: [height - MARGIN_BOTTOM, 10] } });
  const ends = lines
    .flatMap((points) => points.slice(-1))
    .map((end) => ({ ...end, pixel: y.apply(end.mean) as number }));
  ends.sort((a, b) => a.pixel - b.pixel);
  const lowest = height - MARGIN_BOTTOM;
  for (let i = 1; i < ends.length; i++) ends[i]!.pixel = Math.max(ends[i]!.pixel, ends[i - 1]!.pixel + LINE_HEIGHT);
  for (let i = ends.length - 1; i >= 0; i--)
    ends[i]!.pixel = Math.min(ends[i]!.pixel, lowest - (ends.length - 1 - i) * LINE_HEIGHT);
  return ends.map((end) =>
    Plot.text([end], {
      ...{ x: "epoch", y: "mean", text: () => end.line.name, fill: end.line.style.colour },
      ...{ textAnchor: "start", dx: 6, dy: end.pixel - (y.apply(end.mean) as number) },
    }),
  );
}
