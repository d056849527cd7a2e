import { CollapsarError } from "../errors.ts";
import { collapse } from "../metrics/collapse.ts";
import type { FeatureSet, LabelledSet } from "../metrics/rows.ts";
import { testMetrics } from "../metrics/testMetrics.ts";
import type { Classifier } from "../networks/network.ts";

/** Metrics by the names of the API, and for each that could not be taken the reason. */
export interface Measured {
  readonly values: Readonly<Record<string, number>>;
  readonly omitted: Readonly<Record<string, string>>;
}

const NO_TEST = "no test set is known: give one";
const UNLABELLED_TEST = "the test set has no labels";

/**
 * Returns all metrics of a network from its features: collapse over the training set, accuracy over the test set.
 * @throws CollapsarError that names the offender where the collapse metrics are not defined.
 */
export async function measure(train: FeatureSet, test: FeatureSet | null, classifier: Classifier): Promise<Measured> {
  if (!isLabelled(train))
    throw new CollapsarError("malformed-dataset", "the training set has no labels, which NC metrics need");
  const { values, space } = await collapse(train, classifier);
  if (!test || !isLabelled(test)) {
    const reason = test ? UNLABELLED_TEST : NO_TEST;
    return { values, omitted: { accuracy: reason, ncc_accuracy: reason } };
  }
  return { values: { ...values, ...(await testMetrics(test, space)) }, omitted: {} };
}

function isLabelled(set: FeatureSet): set is LabelledSet {
  return set.labels !== null;
}
