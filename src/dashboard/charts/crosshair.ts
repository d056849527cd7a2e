import { pointer } from "d3-selection";
import { formatMean } from "../format.ts";
import { type DrawnChart, element } from "./overlay.ts";
import type { Line } from "./trajectoryChart.tsx";

const EVENT = "collapsar-epoch";
/** From the rule to the numbers beside it, pixels. */
const GAP = 6;

/**
 * Shows the epoch under the pointer in every chart of the page, and what the groups are there: a line of each, and the numbers beside
 * it. They are drawn on the chart's overlay.
 */
export function addCrosshair(overlay: SVGSVGElement, chart: DrawnChart, lines: readonly Line[]): void {
  const x = chart.scale("x");
  const [bottom, top] = (chart.scale("y")?.range ?? []) as number[];
  if (!x?.invert || bottom === undefined || top === undefined) return;
  const epochs = [...new Set(lines.flatMap(({ row }) => row.epochs))].filter((epoch) => epoch !== null);
  epochs.sort((a, b) => a - b);
  const crosshair = element("g", { class: "crosshair", hidden: "" });
  const readout = element("text", { class: "readout", y: top + 8 });
  crosshair.append(element("line", { y1: top, y2: bottom }), readout);
  overlay.append(crosshair);
  const write = writerOf(readout, lines);
  const width = Number(chart.getAttribute("width")); // asking the page would have it lay out every chart at every move
  const tell = atMostOnceAFrame((epoch) => dispatchEvent(new CustomEvent(EVENT, { detail: epoch })));
  overlay.addEventListener("pointermove", (event) => {
    tell(nearest(epochs, x.invert!(pointer(event, overlay)[0]) as number));
  });
  overlay.addEventListener("pointerleave", () => tell(null));
  const show = (event: Event) => {
    if (!overlay.isConnected) return removeEventListener(EVENT, show);
    const epoch = (event as CustomEvent<number | null>).detail;
    crosshair.toggleAttribute("hidden", epoch === null);
    if (epoch === null) return;
    const pixel = x.apply(epoch) as number;
    const isRight = pixel > width / 2;
    crosshair.setAttribute("transform", `translate(${pixel},0)`);
    readout.setAttribute("transform", `translate(${isRight ? -GAP : GAP},0)`);
    readout.setAttribute("text-anchor", isRight ? "end" : "start");
    write(epoch);
  };
  addEventListener(EVENT, show);
}

/** Returns the one of `ascending` that is nearest to `at`; the smaller of two; 0 where there is none. */
function nearest(ascending: readonly number[], at: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= at) low = middle;
    else high = middle;
  }
  const [below, above] = [ascending[low] ?? 0, ascending[high] ?? 0];
  return above - at < at - below ? above : below;
}

/** Calls `told` with the latest epoch before the next frame, if it is another than before. */
function atMostOnceAFrame(told: (epoch: number | null) => void): (epoch: number | null) => void {
  let latest: number | null = null;
  let last: number | null = null;
  let isAsked = false;
  return (epoch) => {
    latest = epoch;
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      if (latest === last) return;
      last = latest;
      told(last);
    });
  };
}

/** Returns what writes the epoch and the numbers of the groups that have it, a line of each, in parts that are made once. */
function writerOf(readout: SVGTextElement, lines: readonly Line[]): (epoch: number) => void {
  const heading = element("tspan", { x: 0, dy: 0, fill: "currentColor" });
  const parts = lines.map(({ name, style, row }) => ({
    ...{ name, row },
    places: new Map(row.epochs.map((epoch, i) => [epoch, i])),
    part: element("tspan", { x: 0, dy: "1.15em", fill: style.colour }),
  }));
  return (epoch) => {
    heading.textContent = `epoch ${epoch}`;
    const shown = parts.flatMap(({ name, row, places, part }) => {
      const i = places.get(epoch);
      if (i === undefined) return [];
      part.textContent = `${name} ${formatMean(row.mean[i]!, row.low[i], row.high[i])}`;
      return [part];
    });
    if (readout.childElementCount !== shown.length + 1 || shown.some(({ isConnected }) => !isConnected))
      readout.replaceChildren(heading, ...shown);
  };
}
