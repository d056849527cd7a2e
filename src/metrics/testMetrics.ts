import { CollapsarError } from "../errors.ts";
import { accuracy, argmaxRows } from "./accuracy.ts";
import type { Matrix } from "./matrix.ts";
import { nearestClassMeans } from "./nc4.ts";
import type { Samples } from "./samples.ts";
import { indexOfNonFinite, nonFiniteLogit, requireFiniteFeatures, requireLabels, requireShapes } from "./samples.ts";

/** Shares of test samples that the network and the nearest class mean of the training set get right. */
export interface TestMetrics {
  readonly accuracy: number;
  readonly ncc_accuracy: number;
}

/**
 * Returns the metrics of a test set, given the class means (C×D) of the training set.
 * @throws CollapsarError `too-few-samples`, `shape-mismatch`, `label-out-of-range`, `non-finite-feature`,
 *   `non-finite-logit`, each naming the sample or the counts.
 */
export function testMetrics(samples: Samples, classMeans: Matrix): TestMetrics {
  const { features, logits, labels } = samples;
  const { rows: classes, columns: dimensions } = classMeans;
  if (labels.length === 0)
    throw new CollapsarError("too-few-samples", "the test set has 0 samples, expected at least 1");
  requireShapes(samples, classes, dimensions);
  requireLabels(labels, classes);
  requireFiniteFeatures(features, dimensions);
  const bad = indexOfNonFinite(logits);
  if (bad >= 0) throw nonFiniteLogit(Math.floor(bad / classes));
  return {
    accuracy: accuracy(argmaxRows(logits, classes), labels),
    ncc_accuracy: accuracy(nearestClassMeans(features, classMeans), labels),
  };
}
