import type * as Plot from "@observablehq/plot";
import type { EpochRange } from "./brush.ts";
import { element } from "./overlay.ts";
import type { Line } from "./trajectoryChart.tsx";

/** Digits after the point of a coordinate: a tenth of a pixel is not seen. */
const DIGITS = 1;

/** Returns the values of the seeds in the range. */
export function seedValues(lines: readonly Line[], range: EpochRange | null): number[] {
  return lines.flatMap(({ row: { epochs, seeds = [] } }) => {
    const shown = epochs.map((epoch) => isShown(epoch, range));
    return seeds.flatMap(({ values }) => values.filter((value, i): value is number => shown[i]! && value !== null));
  });
}

/**
 * Returns the mark of a line of each seed, in the order of its epochs. Plot's own makes an object of every point, which for 90
 * seeds of 350 epochs keeps the page from answering.
 */
export function seedLines(lines: readonly Line[], range: EpochRange | null): Plot.RenderFunction {
  return (_, scales, __, { width, height, marginLeft, marginRight, marginTop, marginBottom }) => {
    const inner = [width - marginLeft - marginRight, height - marginTop - marginBottom] as const;
    // a picture of its own cuts off what goes below the axis
    const frame = { x: marginLeft, y: marginTop, width: inner[0], height: inner[1] };
    const clip = element("svg", { ...frame, viewBox: [marginLeft, marginTop, ...inner].join(" ") });
    for (const { style, row } of lines) {
      const group = element("g", { class: "line", fill: "none", stroke: style.colour, ...STROKE });
      const { epochs, seeds = [] } = row;
      const places = epochs.map((epoch) => (isShown(epoch, range) ? scales.x!(epoch).toFixed(DIGITS) : null));
      for (const { values } of seeds) group.append(element("path", { d: pathOf(places, values, scales.y!) }));
      clip.append(group);
    }
    return clip;
  };
}

const STROKE = { "stroke-opacity": 0.45, "stroke-width": 0.8, "stroke-linejoin": "round", "stroke-miterlimit": 1 };

function isShown(epoch: number | null, range: EpochRange | null): epoch is number {
  return epoch !== null && (range === null || (epoch >= range[0] && epoch <= range[1]));
}

/** A value that is not there, or that the scale does not show (0 on a logarithmic one), is passed over. */
function pathOf(
  places: readonly (string | null)[],
  values: readonly (number | null)[],
  y: (value: number) => number,
): string {
  let path = "";
  for (let i = 0; i < values.length; i++) {
    const [place, value] = [places[i]!, values[i]!];
    if (place === null || value === null) continue;
    const pixel = y(value);
    if (!Number.isFinite(pixel)) continue;
    path += `${path === "" ? "M" : "L"}${place},${pixel.toFixed(DIGITS)}`;
  }
  return path;
}
