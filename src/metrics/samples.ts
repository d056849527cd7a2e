import { CollapsarError } from "../errors.ts";
import type { Reals } from "./matrix.ts";

/** Beyond the range of float32 squares may leave that of float64, so such a number counts as infinite. */
const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Features (n×D), logits (n×C) and labels (n) of n samples, row-major. */
export interface Samples {
  readonly features: Reals;
  readonly logits: Reals;
  readonly labels: Int32Array;
}

/** Requires n features (n×D) and logits (n×C) for n labels. @throws CollapsarError `shape-mismatch`, both counts named. */
export function requireShapes({ features, logits, labels }: Samples, classes: number, dimensions: number): void {
  requireRows("features", features, dimensions, labels);
  requireRows("logits", logits, classes, labels);
}

/** @throws CollapsarError `shape-mismatch` unless `values` has one row of `width` numbers per label. */
export function requireRows(what: string, values: Reals, width: number, labels: Int32Array): void {
  if (values.length === labels.length * width) return;
  throw new CollapsarError(
    "shape-mismatch",
    `${what} hold ${values.length / width} samples (of ${width} numbers each) but there are ${labels.length} labels`,
  );
}

/** @throws CollapsarError `label-out-of-range` that names label and sample; `first` is the index of the first sample. */
export function requireLabels(labels: Int32Array, classes: number, first = 0): void {
  const at = labels.findIndex((label) => label < 0 || label >= classes);
  if (at < 0) return;
  throw new CollapsarError(
    "label-out-of-range",
    `label ${labels[at]} of sample ${first + at} is out of range: 0 to ${classes - 1} was expected`,
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
