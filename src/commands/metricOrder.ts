import { inOrder } from "../database/order.ts";
import { SECTIONS } from "../metrics/names.ts";
import { ACCURACY, DETECTION, detectionOf } from "./metricTables.ts";

type Place = readonly [section: number, set: string, within: number, rest: string];

/**
 * Returns the rows in the order of the metrics that were `asked` for, comma-separated, else in that in which `evaluate`
 * prints them: collapse, structure, detection by set and measure, calibration, accuracy, and what belongs to none. Rows of
 * one metric stay in their order.
 */
export function inMetricOrder<T extends { readonly metric: string }>(rows: readonly T[], asked?: string): T[] {
  const names = asked?.split(",");
  return inOrder(rows, ({ metric }) => (names ? [names.indexOf(metric)] : placeOf(metric)));
}

function placeOf(metric: string): Place {
  const detection = detectionOf(metric);
  if (detection) return [2, detection.set, Object.keys(DETECTION).indexOf(detection.measure), detection.score];
  const [base, ...variant] = metric.split(":") as [string, ...string[]];
  const { collapse, structure, test } = SECTIONS;
  const sections = [
    [0, collapse],
    [1, structure],
    [ACCURACY.includes(base) ? 4 : 3, test],
  ] as const;
  const [section, metrics] = sections.find(([, section]) => Object.hasOwn(section, base)) ?? [5, {}];
  return [section, "", Object.keys(metrics).indexOf(base), variant.join(":")];
}
