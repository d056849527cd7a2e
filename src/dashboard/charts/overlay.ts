import type { Plot } from "@observablehq/plot";

const SVG = "http://www.w3.org/2000/svg";

/** An SVG as Plot draws it. */
export type DrawnChart = SVGSVGElement & Plot;

/**
 * Returns an empty picture as large as the chart, for what follows the pointer, to be laid over it: what changes in the chart
 * itself has the browser paint all of its lines again.
 */
export function overlayOf(chart: DrawnChart): SVGSVGElement {
  const overlay = element("svg", { class: "over" });
  for (const name of ["width", "height", "viewBox"]) overlay.setAttribute(name, chart.getAttribute(name)!);
  return overlay;
}

/** Returns an SVG element with these attributes. */
export function element<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
