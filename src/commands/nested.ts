import type { Measured } from "../evaluation/measure.ts";

type Nested = { [key: string]: number | Nested };

/** The measures of calibration, by the names they have flattened. */
const CALIBRATION = new Set(["nll", "ece", "adaptive_ece", "brier", "val_nll", "temperature"]);

/**
 * Returns the metrics as `--json` prints them: those of OoD detection as `ood.SET.SCORE.MEASURE`, those of calibration as
 * `calibration.before.ece`, `calibration.after_nll_optimum.ece`, …
 */
export function nested({ values, omitted }: Pick<Measured, "values" | "omitted">): object {
  const tree: Nested = {};
  const ood: Nested = {};
  const calibration: Nested = {};
  const branch = (parent: Nested, key: string) => {
    parent[key] ??= {};
    return parent[key] as Nested;
  };
  for (const [name, value] of Object.entries(values)) {
    const [measure, set, score] = name.split(":") as [string, string?, string?];
    if (set !== undefined && score !== undefined) branch(branch(ood, set), score)[measure] = value;
    else if (CALIBRATION.has(measure)) branch(calibration, set ?? "before")[measure] = value;
    else tree[name] = value;
  }
  for (const scores of Object.values(ood))
    for (const [score, measures] of Object.entries(scores)) {
      const jitter = values[`jitter:${score}`];
      if (jitter !== undefined) (measures as unknown as Nested).jitter = jitter;
    }
  if (calibration.before && values.accuracy !== undefined) calibration.accuracy = values.accuracy;
  return {
    ...tree,
    ...(Object.keys(ood).length > 0 && { ood }),
    ...(Object.keys(calibration).length > 0 && { calibration }),
    ...(Object.keys(omitted).length > 0 && { omitted }),
  };
}
