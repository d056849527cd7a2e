import type { Plot } from "@observablehq/plot";
import { pointer } from "d3-selection";
import { formatMean } from "../format.ts";
import type { Line } from "./trajectoryChart.tsx";

const SVG = "http://www.w3.org/2000/svg";
const EVENT = "collapsar-epoch";

/**
 * Shows the epoch under the pointer in every chart of the page, and what the groups are there: a line of each, and the numbers below
 * the pointer's chart.
 */
export function addCrosshair(chart: SVGSVGElement & Plot, lines: readonly Line[]): void {
  const x = chart.scale("x");
  const [bottom, top] = (chart.scale("y")?.range ?? []) as number[];
  if (!x?.invert || bottom === undefined || top === undefined) return;
  const epochs = [...new Set(lines.flatMap(({ row }) => row.epochs))].filter((epoch) => epoch !== null);
  const rule = line(top, bottom);
  const readout = document.createElementNS(SVG, "text");
  readout.setAttribute("class", "crosshair readout");
  readout.setAttribute("y", String(top + 8));
  chart.append(rule, readout);
  const width = Number(chart.getAttribute("width")); // asking the page would have it lay out every chart at every move
  const tell = atMostOnceAFrame((epoch) => dispatchEvent(new CustomEvent(EVENT, { detail: epoch })));
  chart.addEventListener("pointermove", (event) => {
    const at = x.invert!(pointer(event, chart)[0]) as number;
    const nearest = epochs.reduce(
      (best, epoch) => (Math.abs(epoch - at) < Math.abs(best - at) ? epoch : best),
      epochs[0] ?? 0,
    );
    tell(nearest);
  });
  chart.addEventListener("pointerleave", () => tell(null));
  const show = (event: Event) => {
    if (!chart.isConnected) return removeEventListener(EVENT, show);
    const epoch = (event as CustomEvent<number | null>).detail;
    rule.toggleAttribute("hidden", epoch === null);
    readout.replaceChildren();
    if (epoch === null) return;
    const pixel = x.apply(epoch) as number;
    rule.setAttribute("x1", String(pixel));
    rule.setAttribute("x2", String(pixel));
    writeValues(readout, { epoch, pixel, lines, width });
  };
  addEventListener(EVENT, show);
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

interface At {
  readonly epoch: number;
  readonly pixel: number;
  readonly lines: readonly Line[];
  readonly width: number;
}

function writeValues(readout: SVGElement, { epoch, pixel, lines, width }: At): void {
  const isRight = pixel > width / 2;
  const x = isRight ? pixel - 6 : pixel + 6;
  readout.setAttribute("text-anchor", isRight ? "end" : "start");
  const texts = lines.flatMap(({ name, style, row }) => {
    const i = row.epochs.indexOf(epoch);
    return i < 0 ? [] : [{ text: `${name} ${formatMean(row.mean[i]!, row.low[i], row.high[i])}`, fill: style.colour }];
  });
  for (const [i, { text, fill }] of [{ text: `epoch ${epoch}`, fill: "currentColor" }, ...texts].entries()) {
    const part = document.createElementNS(SVG, "tspan");
    part.textContent = text;
    part.setAttribute("x", String(x));
    part.setAttribute("dy", i === 0 ? "0" : "1.15em");
    part.setAttribute("fill", fill);
    readout.append(part);
  }
}

function line(top: number, bottom: number): SVGElement {
  const rule = document.createElementNS(SVG, "line");
  rule.setAttribute("class", "crosshair");
  rule.setAttribute("y1", String(top));
  rule.setAttribute("y2", String(bottom));
  rule.setAttribute("hidden", "");
  return rule;
}
