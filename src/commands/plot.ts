import asciichart from "asciichart";

/** One line of a plot: its name, and its values over the same points of the horizontal axis. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

const HEIGHT = 9;
const COLUMNS_BETWEEN_POINTS = 14;
const COLOURS = [asciichart.blue, asciichart.lightred, asciichart.green, asciichart.yellow];

/**
 * Returns a terminal plot of positive values on a logarithmic axis, straight lines between the points, with a legend.
 * Colours only if `coloured`.
 */
export function plotLogarithmic(series: readonly Series[], coloured: boolean): string {
  const colours = series.map((_, i) => COLOURS[i % COLOURS.length]!);
  const chart = asciichart.plot(
    series.map(({ values }) => interpolate(values.map(Math.log10))),
    { height: HEIGHT, format: axisLabel, ...(coloured && { colors: colours }) },
  );
  const legend = series.map(({ name, values }, i) => {
    const text = `${name} (${values.map((value) => value.toPrecision(3)).join(" → ")})`;
    return coloured ? `${colours[i]}${text}${asciichart.reset}` : text;
  });
  return [chart, ...legend].join("\n");
}

function interpolate(values: readonly number[]): number[] {
  const steps = (values.length - 1) * COLUMNS_BETWEEN_POINTS;
  return Array.from({ length: steps + 1 }, (_, step) => {
    const at = step / COLUMNS_BETWEEN_POINTS;
    const [from, to] = [values[Math.floor(at)]!, values[Math.ceil(at)]!];
    return from + (to - from) * (at % 1);
  });
}

function axisLabel(exponent: number): string {
  return (10 ** exponent).toPrecision(2).padStart(8);
}
