import { CollapsarError } from "../errors.ts";
import { type CalibrationReport, calibration } from "../metrics/calibration/calibration.ts";
import { type Collapse, collapse } from "../metrics/collapse.ts";
import { ESTIMATORS } from "../metrics/ood/estimators.ts";
import type { FeatureSet, LabelledSet } from "../metrics/rows.ts";
import { structure } from "../metrics/structure/structure.ts";
import { testMetrics } from "../metrics/testMetrics.ts";
import type { Classifier } from "../networks/network.ts";
import { measureOod, type OodMeasures, type OodSet } from "./measureOod.ts";

/** Features of every set of an evaluation. */
export interface FeatureSets {
  readonly train: FeatureSet;
  readonly test: FeatureSet | null;
  /** Of what the temperature is fitted on; its features are not looked at. */
  readonly validation: Pick<FeatureSet, "logits" | "labels" | "count"> | null;
  readonly ood: readonly OodSet[];
}

/** Metrics by the names of the API, and for each that could not be taken the reason. */
export interface Measured {
  readonly values: Readonly<Record<string, number>>;
  readonly omitted: Readonly<Record<string, string>>;
  /** What is no single number: curves, bins, matrices. */
  readonly details: Details;
}

/** What is stored of an evaluation for plots. */
export interface Details {
  readonly [part: string]: unknown;
}

const NO_TEST = "no test set is known: give one";
const UNLABELLED_TEST = "the test set has no labels";

/**
 * Returns all metrics of a network from its features: collapse over the training set, accuracy and calibration over the test
 * set, and how well OoD sets are told from that.
 * @throws CollapsarError that names the offender where the collapse metrics are not defined.
 */
export async function measure(
  { train, test, validation, ood }: FeatureSets,
  classifier: Classifier,
  { jitter }: { jitter?: number | undefined } = {},
): Promise<Measured> {
  if (!isLabelled(train))
    throw new CollapsarError("malformed-dataset", "the training set has no labels, which NC metrics need");
  const collapsed = await collapse(train, classifier);
  const parts: Measured[] = [
    { values: collapsed.values, omitted: {}, details: {} },
    await measureStructure(collapsed),
    await measureTest(test, validation, collapsed),
    await measureDetection(train, test, ood, { classifier, jitter }),
  ];
  return {
    values: Object.assign({}, ...parts.map(({ values }) => values)),
    omitted: Object.assign({}, ...parts.map(({ omitted }) => omitted)),
    details: Object.assign({}, ...parts.map(({ details }) => details)),
  };
}

async function measureTest(
  test: FeatureSet | null,
  validation: FeatureSets["validation"],
  { space }: Collapse,
): Promise<Measured> {
  if (!test || !isLabelled(test)) {
    const reason = test ? UNLABELLED_TEST : NO_TEST;
    return { values: {}, omitted: { accuracy: reason, ncc_accuracy: reason, calibration: reason }, details: {} };
  }
  const shares = await testMetrics(test, space);
  const {
    accuracy: _,
    omitted,
    ...reports
  } = calibration(
    await logitsOf(test),
    validation?.labels ? await logitsOf({ ...validation, labels: validation.labels }) : null,
    test.logits.columns,
  );
  const values = Object.entries(reports).flatMap(([when, report]) => calibrationValues(when, report));
  return { values: { ...shares, ...Object.fromEntries(values) }, omitted, details: { calibration: reports } };
}

/** Names before temperature scaling are plain, those after it say which: `ece`, `ece:after_nll_optimum`. */
function calibrationValues(when: string, { temperature, val_nll, nll, ece, adaptive_ece, brier }: CalibrationReport) {
  const values = {
    ...{ nll, ece, adaptive_ece, brier },
    ...(val_nll !== undefined && { val_nll }),
    ...(when !== "before" && { temperature }),
  };
  return Object.entries(values).map(([name, value]) => [when === "before" ? name : `${name}:${when}`, value] as const);
}

async function measureDetection(
  train: LabelledSet,
  test: FeatureSet | null,
  ood: readonly OodSet[],
  fitting: { classifier: Classifier; jitter: number | undefined },
): Promise<Measured> {
  if (ood.length === 0) return { values: {}, omitted: {}, details: {} };
  if (!test)
    return {
      values: {},
      omitted: Object.fromEntries(ood.map(({ name }) => [`ood:${name}`, NO_TEST])),
      details: {},
    };
  const { curves, ...measured }: OodMeasures = await measureOod(train, test, ood, fitting);
  return { ...measured, details: { ood: curves, ood_estimators: ESTIMATORS } };
}

async function measureStructure(collapsed: Collapse): Promise<Measured> {
  const { values, omitted, cosines, withinClassVariance, betweenClassSquare } = await structure(collapsed);
  const details = {
    classes: collapsed.counts.length,
    samples: [...collapsed.counts],
    within_class_variance: [...withinClassVariance],
    between_class_square: [...betweenClassSquare],
    cosines_means: cosines.means && [...cosines.means.values],
    cosines_classifiers: cosines.weight && [...cosines.weight.values],
  };
  return { values, omitted, details: { collapse: details } };
}

async function logitsOf({ logits, labels, count }: Pick<LabelledSet, "logits" | "labels" | "count">) {
  return { logits: await logits.read(0, count), labels };
}

function isLabelled(set: FeatureSet): set is LabelledSet {
  return set.labels !== null;
}
