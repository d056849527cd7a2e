import * as Plot from "@observablehq/plot";
import type { Correlations } from "../../api/contract.ts";
import { formatNumber } from "../format.ts";
import { shortLabelOf } from "../metricSections.ts";
import type { GroupStyle } from "./colours.ts";
import { LABEL_OFFSET, MARGIN_BOTTOM } from "./frame.ts";

type Point = Correlations["rows"][number]["points"][number];

interface Scatter {
  readonly points: readonly Point[];
  readonly x: string;
  readonly y: string;
  readonly groups: readonly { readonly key: string | null; readonly name: string; readonly style: GroupStyle }[];
  readonly logarithmic: boolean;
  readonly width: number;
}

/** Returns runs as points in the colours of their groups, each a link to its run; an axis is logarithmic where it can be. */
export function drawScatter({ points, x, y, groups, logarithmic, width }: Scatter): SVGSVGElement | HTMLElement {
  const styles = new Map(groups.map(({ key, name, style }) => [key, { name, style }]));
  const shown = points.filter(({ group }) => styles.has(group));
  // what spans less than a factor of ten is no clearer on a logarithmic scale
  const scaleOf = (values: readonly number[]) =>
    logarithmic && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 10 ? "log" : "linear";
  return Plot.plot({
    ...{ width, height: Math.min(380, Math.max(260, width * 0.6)), className: "plot" },
    ...{ marginLeft: 56, marginBottom: MARGIN_BOTTOM, grid: true, inset: 8 },
    x: {
      label: `${shortLabelOf(x)} →`,
      labelAnchor: "right",
      labelOffset: LABEL_OFFSET,
      type: scaleOf(shown.map((point) => point.x)),
      ticks: 5,
    },
    y: { label: `↑ ${shortLabelOf(y)}`, type: scaleOf(shown.map((point) => point.y)), ticks: 5 },
    marks: [
      Plot.dot(shown, {
        ...{ x: "x", y: "y", r: 3.5, fillOpacity: 0.55, strokeWidth: 1.2 },
        fill: ({ group }: Point) => styles.get(group)!.style.colour,
        stroke: ({ group }: Point) => styles.get(group)!.style.colour,
        href: ({ run }: Point) => `/ui/runs/${encodeURIComponent(run)}`,
        title: (point: Point) =>
          `${point.run}\n${shortLabelOf(x)} ${formatNumber(point.x)}\n${shortLabelOf(y)} ${formatNumber(point.y)}`,
      }),
    ],
  });
}
