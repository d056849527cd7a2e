import { accuracy, argmaxRows } from "../accuracy.ts";
import type { LabelledLogits } from "./forecasts.ts";
import { forecasts, requireLabelledLogits } from "./forecasts.ts";
import type { ReliabilityBin } from "./reliability.ts";
import { calibrationError, equalCountBins, equalWidthBins } from "./reliability.ts";
import { bestOfGrid, likelihood, nllOptimum, TEMPERATURE_RANGE } from "./temperature.ts";

/** Calibration of a test set at one temperature. */
export interface CalibrationReport {
  readonly temperature: number;
  /** NLL of the validation part, where there is one. */
  readonly val_nll?: number;
  readonly nll: number;
  readonly ece: number;
  readonly adaptive_ece: number;
  readonly brier: number;
  /** The bins of `ece`. */
  readonly bins: readonly ReliabilityBin[];
  /** The bins of `adaptive_ece`. */
  readonly adaptive_bins: readonly ReliabilityBin[];
}

/** Calibration of a test set, and what could not be had of it with the reason. */
export interface Calibration {
  readonly accuracy: number;
  /** At T = 1. */
  readonly before: CalibrationReport;
  /** At the T that minimises the NLL of the validation part. */
  readonly after_nll_optimum?: CalibrationReport;
  /** At the best T of DDU's grid. */
  readonly after_ddu_grid?: CalibrationReport;
  readonly omitted: Readonly<Partial<Record<"after_nll_optimum" | "after_ddu_grid", string>>>;
}

const NO_VALIDATION = "no validation part is known to fit a temperature on: give one";

/**
 * Returns the calibration of a test set before and after its logits are divided by a temperature, which is fitted on the
 * validation part and never on the test set; without one (null) only `before`.
 * @throws CollapsarError `too-few-samples`, `shape-mismatch`, `label-out-of-range`, `non-finite-logit`, each naming the
 *   set and the sample or the counts.
 */
export function calibration(test: LabelledLogits, validation: LabelledLogits | null, classes: number): Calibration {
  requireLabelledLogits(test, classes, "test set");
  if (validation) requireLabelledLogits(validation, classes, "validation part");
  const share = accuracy(argmaxRows(test.logits, classes), test.labels);
  const at = (temperature: number) => report(test, validation, classes, temperature);
  const before = at(1);
  if (!validation) {
    const omitted = { after_nll_optimum: NO_VALIDATION, after_ddu_grid: NO_VALIDATION };
    return { accuracy: share, before, omitted };
  }
  const optimum = nllOptimum(validation, classes);
  const after_ddu_grid = at(bestOfGrid(validation, classes, optimum));
  const reason = reasonWithoutOptimum(validation, classes, optimum);
  if (reason) return { accuracy: share, before, after_ddu_grid, omitted: { after_nll_optimum: reason } };
  return { accuracy: share, before, after_nll_optimum: at(optimum), after_ddu_grid, omitted: {} };
}

function report(
  test: LabelledLogits,
  validation: LabelledLogits | null,
  classes: number,
  temperature: number,
): CalibrationReport {
  const tested = forecasts(test, classes, temperature);
  const bins = equalWidthBins(tested);
  const adaptive_bins = equalCountBins(tested);
  return {
    temperature,
    ...(validation && { val_nll: likelihood(validation, classes, 1 / temperature).nll }),
    nll: tested.nll,
    ece: calibrationError(bins),
    adaptive_ece: calibrationError(adaptive_bins),
    brier: tested.brier,
    bins,
    adaptive_bins,
  };
}

/** Says why the NLL of a validation part has no minimum within the range of temperatures; null where it has one. */
function reasonWithoutOptimum({ logits, labels }: LabelledLogits, classes: number, optimum: number): string | null {
  if (optimum > 0 && Number.isFinite(optimum)) return null;
  const { smallest, largest } = TEMPERATURE_RANGE;
  if (optimum > 0) return `the NLL of the validation part has its minimum at T = ${largest} or above`;
  if (accuracy(argmaxRows(logits, classes), labels) < 1)
    return `the NLL of the validation part does not rise down to T = ${smallest}`;
  return "every sample of the validation part is classified right, so that its NLL falls without end as T goes to 0";
}
