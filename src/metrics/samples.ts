import { CollapsarError } from "../errors.ts";
import type { Reals } from "./matrix.ts";
import type { LabelledSet } from "./rows.ts";

/** Beyond the range of float32 squares may leave that of float64, so such a number counts as infinite. */
const LARGEST_FLOAT32 = 3.4028234663852886e38;

/**
 * Requires N features of D and N logits of C numbers for N labels.
 * @throws CollapsarError `shape-mismatch`, both counts named.
 */
export function requireShapes({ features, logits, labels }: LabelledSet, classes: number, dimensions: number): void {
  requireRows("features", features.count * features.columns, dimensions, labels);
  requireRows("logits", logits.count * logits.columns, classes, labels);
}

/** @throws CollapsarError `shape-mismatch` unless `length` numbers are one row of `width` per label. */
export function requireRows(what: string, length: number, width: number, labels: Int32Array): void {
  if (length === labels.length * width) return;
  throw new CollapsarError(
    "shape-mismatch",
    `${what} hold ${length / width} samples (of ${width} numbers each) but there are ${labels.length} labels`,
  );
}

/** @throws CollapsarError `label-out-of-range` that names label and sample. */
export function requireLabels(labels: Int32Array, classes: number): void {
  const at = labels.findIndex((label) => label < 0 || label >= classes);
  if (at < 0) return;
  throw new CollapsarError(
    "label-out-of-range",
    `label ${labels[at]} of sample ${at} is out of range: 0 to ${classes - 1} was expected`,
  );
}

/** Returns the index of the first number that is NaN, infinite or beyond the range of float32, or −1. */
export function indexOfNonFinite(values: Reals): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]) <= LARGEST_FLOAT32)) return i;
  return -1;
}

/** @throws CollapsarError `non-finite-feature` that names the sample; `first` is the index of the first sample. */
export function requireFiniteFeatures(features: Reals, dimensions: number, first = 0): void {
  const at = indexOfNonFinite(features);
  if (at < 0) return;
  throw new CollapsarError(
    "non-finite-feature",
    `features of sample ${first + Math.floor(at / dimensions)} hold ${features[at]}: finite float32 was expected`,
  );
}

/** @throws CollapsarError `shape-mismatch` unless `weight` is C×D; `non-finite-weight` that names the class. */
export function requireWeight(weight: Reals, classes: number, dimensions: number): void {
  if (weight.length !== classes * dimensions)
    throw new CollapsarError(
      "shape-mismatch",
      `weight has ${weight.length / classes} columns for ${classes} classes, features have ${dimensions} dimensions`,
    );
  const at = indexOfNonFinite(weight);
  if (at >= 0)
    throw new CollapsarError(
      "non-finite-weight",
      `weight of class ${Math.floor(at / dimensions)} holds ${weight[at]}: finite float32 was expected`,
    );
}

/** Returns the error that says which sample has logits that are no finite numbers. */
export function nonFiniteLogit(sample: number): CollapsarError {
  return new CollapsarError("non-finite-logit", `logits of sample ${sample} are not all finite float32 numbers`);
}
