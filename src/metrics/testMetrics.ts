import { CollapsarError } from "../errors.ts";
import { accuracy, predictionsOf } from "./accuracy.ts";
import type { ClassSpace } from "./classSpace.ts";
import { blocksOf, type LabelledSet } from "./rows.ts";
import { nonFiniteLogit, requireFiniteFeatures, requireLabels, requireShapes } from "./samples.ts";
import { nearestMeans } from "./scatter.ts";

/** Shares of test samples that the network and the nearest class mean of the training set get right. */
export interface TestMetrics {
  readonly accuracy: number;
  readonly ncc_accuracy: number;
}

/**
 * Returns the metrics of a test set, given the class means of the training set.
 * @throws CollapsarError `too-few-samples`, `shape-mismatch`, `label-out-of-range`, `non-finite-feature`,
 *   `non-finite-logit`, each naming the sample or the counts.
 */
export async function testMetrics(set: LabelledSet, space: ClassSpace): Promise<TestMetrics> {
  const { rows: classes, columns: dimensions } = space.means;
  const { features, logits, labels } = set;
  if (labels.length === 0)
    throw new CollapsarError("too-few-samples", "the test set has 0 samples, expected at least 1");
  requireShapes(set, classes, dimensions);
  requireLabels(labels, classes);
  for await (const { start, values } of blocksOf(features)) requireFiniteFeatures(values, dimensions, start);
  const { predictions, nonFinite } = await predictionsOf(logits);
  if (nonFinite !== null) throw nonFiniteLogit(nonFinite);
  return {
    accuracy: accuracy(predictions, labels),
    ncc_accuracy: accuracy(await nearestMeans(features, space), labels),
  };
}
