import { readFileSync } from "node:fs";
import type { Reals } from "../../../src/metrics/matrix.ts";
import { momentsOf } from "../../../src/metrics/ood/moments.ts";
import { SCORES, type Scorer } from "../../../src/metrics/ood/scores.ts";
import { type LabelledSet, type Rows, rowsInMemory } from "../../../src/metrics/rows.ts";
import { floats, golden } from "../../golden.ts";
import { goldenCase, goldenJson, namesOf, setOf } from "../cases.ts";
import { gaussians } from "../gaussians.ts";

/** What scores are fitted on and taken of. */
export interface Sets {
  readonly train: LabelledSet;
  readonly test: LabelledSet;
  readonly ood: LabelledSet;
  readonly classifier: { readonly weight: Reals; readonly bias: Reals };
}

/** The scores that need features. */
export const FEATURE_SCORES = ["gmm", "mahalanobis", "knn", "vim", "neco"] as const;
export type FeatureScore = (typeof FEATURE_SCORES)[number];

/** Golden cases with an OoD part. */
export const OOD_CASES = namesOf("metrics").filter((name) => goldenJson(name).ood !== undefined);

/** Scores of OpenOOD and pytorch-ood by case, see make.py. */
export const PEERS: Readonly<Record<string, Record<string, PeerScores>>> = JSON.parse(
  readFileSync(new URL("../../fixtures/ood/expected.json", import.meta.url), "utf8"),
);

/** The first scores of the test and of the OoD set. */
type Pair = readonly [number[], number[]];
interface PeerScores {
  readonly scores: Pair;
  readonly pytorch_ood?: Pair;
  readonly exact?: Pair;
}

/** Returns the sets of a golden case. */
export function goldenSets(name: string): Sets {
  const { train, test, weight, classes, dimensions } = goldenCase(name);
  const file = golden(name);
  const [features, logits] = [floats(file, "ood_features"), floats(file, "ood_logits")];
  const ood = { features, logits, labels: new Int32Array(features.length / dimensions) };
  const [trainSet, testSet, oodSet] = [train, test!, ood].map((samples) => setOf(samples, classes, dimensions)) as [
    LabelledSet,
    LabelledSet,
    LabelledSet,
  ];
  return { train: trainSet, test: testSet, ood: oodSet, classifier: { weight, bias: floats(file, "bias") } };
}

/** A shape of random sets: n samples per class, and how far apart samples of a class are, class means being at 1. */
export interface Shape {
  readonly classes: number;
  readonly dimensions: number;
  readonly perClass: number;
  readonly spread?: number;
  readonly offset?: number;
}

/** Returns sets of Gaussian classes, in random order, float32, the OoD set about other means. */
export function randomSets(
  seed: number,
  { classes, dimensions, perClass, spread = 0.3, offset = 0 }: Shape,
  Values: new (length: number) => Reals = Float32Array,
): Sets {
  const normal = gaussians(seed);
  const means = Array.from({ length: 2 * classes }, () =>
    Array.from({ length: dimensions }, () => normal() / Math.sqrt(dimensions)),
  );
  const weight = Float32Array.from(means.slice(0, classes).flat());
  const bias = Float32Array.from({ length: classes }, () => normal() / 10);
  const set = (count: number, first: number): LabelledSet => {
    const features = new Values(count * dimensions);
    const logits = new Values(count * classes);
    const labels = Int32Array.from({ length: count }, (_, i) => (i * 11) % classes);
    for (let i = 0; i < count; i++) {
      const mean = means[first + labels[i]!]!;
      for (let d = 0; d < dimensions; d++)
        features[i * dimensions + d] = Math.fround(offset + mean[d]! + (spread * normal()) / Math.sqrt(dimensions));
      for (let c = 0; c < classes; c++) {
        let logit = bias[c]!;
        for (let d = 0; d < dimensions; d++) logit += weight[c * dimensions + d]! * features[i * dimensions + d]!;
        logits[i * classes + c] = Math.fround(logit);
      }
    }
    return { features: rowsInMemory(features, dimensions), logits: rowsInMemory(logits, classes), labels, count };
  };
  return {
    train: set(classes * perClass, 0),
    test: set(40, 0),
    ood: set(40, classes),
    classifier: { weight, bias },
  };
}

/** Fits a score. */
export async function fitted(name: FeatureScore, { train, classifier }: Sets, jitter?: number): Promise<Scorer> {
  return SCORES[name](train, { moments: await momentsOf(train), classifier, jitter });
}

/** Fits a score and returns those of the test and of the OoD set. */
export async function fitAndScore(name: FeatureScore, sets: Sets, jitter?: number) {
  const scorer = await fitted(name, sets, jitter);
  return { jitter: scorer.jitter, id: await scorer.score(sets.test), ood: await scorer.score(sets.ood) };
}

/** Returns the sets with every table changed. */
export function withRows(sets: Sets, change: (rows: Rows) => Promise<Rows>): Promise<Sets> {
  const changed = async (set: LabelledSet) => ({
    ...set,
    features: await change(set.features),
    logits: await change(set.logits),
  });
  return Promise.all([sets.train, sets.test, sets.ood].map(changed)).then(([train, test, ood]) => ({
    ...sets,
    train: train!,
    test: test!,
    ood: ood!,
  }));
}

/** Returns the largest |a/b − 1|. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! / expected[i]! - 1);
    if (!(error <= largest)) largest = error; // NaN is an error
  }
  return largest;
}
