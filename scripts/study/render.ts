import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** The groups in the colours of Okabe and Ito, which the colour-blind tell apart. */
export const COLOURS = ["#0072b2", "#56b4e9", "#d55e00", "#e69f00"] as const;

const CONFIG: TopLevelSpec["config"] = {
  background: "white",
  font: "sans-serif",
  axis: { labelFontSize: 11, titleFontSize: 12, gridColor: "#e5e5e5" },
  legend: { labelFontSize: 12, titleFontSize: 12 },
  view: { stroke: "#cccccc" },
};

/** Returns the chart as SVG, without a browser: widths of text are estimated, so it is the same on every machine. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const { spec: compiled } = compile({ ...spec, config: CONFIG });
  const view = new View(parse(compiled), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
