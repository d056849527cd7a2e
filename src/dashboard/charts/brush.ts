import { brushX, type D3BrushEvent } from "d3-brush";
import { select } from "d3-selection";
import type { DrawnChart } from "./overlay.ts";

/** First and last epoch that are shown. */
export type EpochRange = readonly [from: number, to: number];

/** Lets people draw on the overlay of a chart which epochs to show; twice on it shows all again. */
export function addBrush(overlay: SVGSVGElement, chart: DrawnChart, onRange: (range: EpochRange | null) => void): void {
  const x = chart.scale("x");
  const y = chart.scale("y");
  if (!x?.invert || !x.range || !y?.range) return;
  const [left, right] = x.range as [number, number];
  const [bottom, top] = y.range as [number, number];
  const brush = brushX<unknown>()
    .extent([
      [left, top],
      [right, bottom],
    ])
    .on("end", (event: D3BrushEvent<unknown>) => {
      if (!event.sourceEvent || !event.selection) return;
      const [from, to] = (event.selection as [number, number]).map((pixel) => x.invert!(pixel) as number);
      onRange([Math.ceil(from!), Math.max(Math.floor(to!), Math.ceil(from!) + 1)]);
    });
  select(overlay)
    .append("g")
    .attr("class", "brush")
    .call(brush)
    .on("dblclick", () => onRange(null));
}
