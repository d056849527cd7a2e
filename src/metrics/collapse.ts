import { CollapsarError } from "../errors.ts";
import { argmaxRows, countDifferent } from "./accuracy.ts";
import { ClassSums, centredMeans } from "./classMeans.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { requireDirections, rowNorms, toMatrix } from "./matrix.ts";
import type { MetricName } from "./names.ts";
import type { BetweenClassSpectrum } from "./nc1.ts";
import { addScatter, betweenClassSpectrum, nc1 } from "./nc1.ts";
import { equiangular, equinorm } from "./nc2.ts";
import { nc3 } from "./nc3.ts";
import { nearestClassMeans } from "./nc4.ts";
import {
  indexOfNonFinite,
  nonFiniteLogit,
  requireFiniteFeatures,
  requireLabels,
  requireShapes,
  requireWeight,
} from "./samples.ts";

/** The metrics of a training set by API name; `sigma_b_condition` is the largest over the smallest kept eigenvalue. */
export type CollapseMetrics = Readonly<Record<Exclude<MetricName, "accuracy" | "ncc_accuracy">, number>>;

/** The metrics, and the class means μ_c (C×D) that a test set is measured against. */
export interface Collapse {
  readonly values: CollapseMetrics;
  readonly classMeans: Matrix;
}

/** What is kept of the samples of one update until the class means are final. */
interface Chunk {
  readonly features: Reals;
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
}

/**
 * The state of the Neural Collapse metrics: samples come by `update`, shards by `merge`, in any order and any cut, and
 * `finish` gives the numbers. Memory is that of the features, which NC1 and NC4 need once the class means are final.
 */
export class CollapseState {
  readonly classes: number;
  readonly dimensions: number;
  readonly #sums: ClassSums;
  #chunks: Chunk[] = [];
  #samples = 0;
  #badLogits: number | null = null;

  /** @throws CollapsarError `too-few-classes` where `classes` is below 2. */
  constructor(classes: number, dimensions: number) {
    if (!(classes >= 2))
      throw new CollapsarError("too-few-classes", `there is ${classes} class: at least 2 were expected`);
    this.classes = classes;
    this.dimensions = dimensions;
    this.#sums = new ClassSums(classes, dimensions);
  }

  /** Samples so far. */
  get samples(): number {
    return this.#samples;
  }

  /**
   * Adds n samples: features n×D, logits n×C, labels n. `features` and `labels` are kept without a copy, so the caller
   * must not write to them afterwards; of the logits only the argmax is kept.
   * @throws CollapsarError `shape-mismatch`, `label-out-of-range`, `non-finite-feature`; samples are counted from the
   *   first of this state. Nothing is added then.
   */
  update(features: Reals, logits: Reals, labels: Int32Array): void {
    requireShapes({ features, logits, labels }, this.classes, this.dimensions);
    requireLabels(labels, this.classes, this.#samples);
    requireFiniteFeatures(features, this.dimensions, this.#samples);
    // told by `finish`, once the weight is known to be finite: the logits show the effect, the weight the cause
    const bad = indexOfNonFinite(logits);
    if (bad >= 0) this.#badLogits ??= this.#samples + Math.floor(bad / this.classes);
    this.#sums.add(features, labels);
    this.#chunks.push({ features, labels, predictions: argmaxRows(logits, this.classes) });
    this.#samples += labels.length;
  }

  /** Adds the samples of `other`, which stays as it is, after the own. @throws CollapsarError `shape-mismatch`. */
  merge(other: CollapseState): void {
    if (other.classes !== this.classes || other.dimensions !== this.dimensions)
      throw new CollapsarError(
        "shape-mismatch",
        `a state of ${other.classes} classes and ${other.dimensions} dimensions does not fit one of ${this.classes} and ${this.dimensions}`,
      );
    if (other.#badLogits !== null) this.#badLogits ??= this.#samples + other.#badLogits;
    this.#sums.merge(other.#sums);
    this.#chunks = [...this.#chunks, ...other.#chunks];
    this.#samples += other.#samples;
  }

  /**
   * Returns the metrics of all samples so far for a classifier with this weight (C×D); its bias is in the logits.
   * @throws CollapsarError `shape-mismatch`, `non-finite-weight`, `non-finite-logit`, `missing-class`,
   *   `zero-denominator`, each naming the class or sample.
   */
  finish(classifier: { readonly weight: Reals }): Collapse {
    requireWeight(classifier.weight, this.classes, this.dimensions);
    if (this.#badLogits !== null) throw nonFiniteLogit(this.#badLogits);
    const weight = toMatrix(classifier.weight, this.dimensions);
    const means = this.#sums.means();
    const centred = centredMeans(means);
    requireDirections(centred, "the class means less the global mean are");
    requireDirections(weight, "the rows of weight are");
    const spectrum = betweenClassSpectrum(centred);
    const { scatter, different } = this.#secondPass(means, spectrum);
    const share = (count: number) => count / this.#samples;
    const values: CollapseMetrics = {
      nc1: nc1(scatter, this.#samples),
      nc2_equinorm_means: equinorm(centred),
      nc2_equinorm_classifiers: equinorm(weight),
      nc2_equiangular_means: equiangular(centred),
      nc2_equiangular_classifiers: equiangular(weight),
      nc3: nc3(weight, centred),
      nc4_error: share(different.meanFromLabel),
      nc4_mismatch: share(different.meanFromNetwork),
      train_accuracy: share(this.#samples - different.networkFromLabel),
      sigma_b_rank: spectrum.rank,
      sigma_b_condition: spectrum.eigenvalues[0] / spectrum.eigenvalues[spectrum.rank - 1],
      trace_sigma_w: scatter.total / this.#samples,
      trace_sigma_b: rowNorms(centred).reduce((sum, norm) => sum + norm ** 2, 0) / this.classes,
      samples: this.#samples,
    };
    return { values, classMeans: means };
  }

  /** Goes through the kept chunks once: scatter about the means, and how often the three decisions differ. */
  #secondPass(means: Matrix, spectrum: BetweenClassSpectrum) {
    const scatter = { total: 0, whitened: 0 };
    const different = { meanFromLabel: 0, meanFromNetwork: 0, networkFromLabel: 0 };
    for (const { features, labels, predictions } of this.#chunks) {
      addScatter(scatter, features, labels, means, spectrum);
      const nearest = nearestClassMeans(features, means);
      different.meanFromLabel += countDifferent(nearest, labels);
      different.meanFromNetwork += countDifferent(nearest, predictions);
      different.networkFromLabel += countDifferent(predictions, labels);
    }
    return { scatter, different };
  }
}
