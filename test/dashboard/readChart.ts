import type { Page } from "playwright-core";

/** A point in what the axes show. */
export type Point = readonly [x: number, y: number];

/** A chart as it is drawn, in the numbers of its axes. */
export interface ReadChart {
  /** First and last tick of the axis. */
  readonly ticks: { readonly x: readonly string[]; readonly y: readonly string[] };
  /** Of each path that is a line: its colour, as the style names it, and its points. */
  readonly lines: readonly { readonly stroke: string; readonly points: readonly Point[] }[];
  /** Areas. */
  readonly bands: number;
  /** Circles. */
  readonly dots: readonly Point[];
}

interface Drawn {
  readonly ticks: Record<"x" | "y", { label: string; pixel: number }[]>;
  readonly lines: { stroke: string; points: Point[] }[];
  readonly bands: number;
  readonly dots: Point[];
}

/** Reads the chart of this title; `logarithmic` tells of its vertical axis. */
export async function readChart(page: Page, title: string, { logarithmic = false } = {}): Promise<ReadChart> {
  const drawn = await page
    .getByRole("figure", { name: title, exact: true })
    .locator(".drawing .plot")
    .evaluate(measure);
  const x = scaleOf(drawn.ticks.x, false);
  const y = scaleOf(drawn.ticks.y, logarithmic);
  const place = ([left, top]: Point): Point => [x(left), y(top)];
  return {
    ticks: { x: drawn.ticks.x.map(({ label }) => label), y: drawn.ticks.y.map(({ label }) => label) },
    lines: drawn.lines.map(({ stroke, points }) => ({ stroke, points: points.map(place) })),
    bands: drawn.bands,
    dots: drawn.dots.map(place),
  };
}

/** Runs in the page. */
function measure(svg: Element): Drawn {
  const numbers = (text: string) => [...text.matchAll(/-?\d*\.?\d+(?:e-?\d+)?/g)].map(Number);
  const ticksOf = (axis: "x" | "y") =>
    [...svg.querySelectorAll(`[class="${axis}-axis tick label"] text`)].map((text) => ({
      label: text.textContent!,
      pixel: numbers(text.getAttribute("transform")!)[axis === "x" ? 0 : 1]!,
    }));
  const paths = [...svg.querySelectorAll("path[d]")].filter((path) => !path.closest("[class*=axis], .crosshair"));
  const inherited = (path: Element, name: string) => path.closest(`[${name}]`)?.getAttribute(name) ?? "";
  const pointsOf = (path: Element) => {
    const all = numbers(path.getAttribute("d")!);
    return Array.from({ length: all.length / 2 }, (_, i): [number, number] => [all[2 * i]!, all[2 * i + 1]!]);
  };
  const isLine = (path: Element) => path.closest("[class=line]") !== null;
  return {
    ticks: { x: ticksOf("x"), y: ticksOf("y") },
    lines: paths.filter(isLine).map((path) => ({ stroke: inherited(path, "stroke"), points: pointsOf(path) })),
    bands: paths.filter((path) => path.closest("[class=area]")).length,
    dots: [...svg.querySelectorAll("circle")].map((dot) => [
      Number(dot.getAttribute("cx")),
      Number(dot.getAttribute("cy")),
    ]),
  };
}

/** The number at a pixel, by the first and the last tick. */
function scaleOf(ticks: readonly { label: string; pixel: number }[], logarithmic: boolean): (pixel: number) => number {
  const numberOf = ({ label }: { label: string }) => Number(label.replace("−", "-").replace(/%$/, ""));
  const [first, last] = [ticks[0], ticks.at(-1)];
  if (!first || !last || first.pixel === last.pixel) return () => Number.NaN;
  const [low, high] = [numberOf(first), numberOf(last)].map((value) => (logarithmic ? Math.log(value) : value));
  return (pixel) => {
    const value = low! + ((pixel - first.pixel) * (high! - low!)) / (last.pixel - first.pixel);
    return logarithmic ? Math.exp(value) : value;
  };
}
