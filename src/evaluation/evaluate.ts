import type { DatasetSources } from "../datasets/open.ts";
import { abortableRows, type FeatureSet } from "../metrics/rows.ts";
import { classifierOf } from "../networks/network.ts";
import { type TakenFeatures, takeFeatures } from "./features/take.ts";
import type { FeatureSets, Measured } from "./measure.ts";
import { measure } from "./measure.ts";
import type { Description, OpenedEvaluation } from "./open.ts";
import { openEvaluation } from "./open.ts";
import type { EvaluationRequest } from "./request.ts";
import { type OodName, partsOf } from "./sets.ts";
import { stopwatch } from "./stopwatch.ts";

/** What an evaluation is doing, and how far it is (bytes or images). */
export interface Progress {
  /**
   * `download`, `shards`, `metrics`, or the part whose features are taken: `train`, `test`, `validation`, `ood:<name>`.
   */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** What an evaluation needs of the world around it. */
export interface EvaluationContext {
  readonly sources: DatasetSources;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Bytes of features and logits of a set that may be in memory (default FEATURES_IN_MEMORY_BYTES); others are on disk. */
  readonly featureBudget?: number;
  /** Returns the id of an evaluation that has the numbers of the same bytes under the same protocol, or null. */
  readonly findRecorded?: ((sha256: string, protocol: string) => Promise<string | null>) | undefined;
}

/** Everything there is to record of one evaluation. */
export interface Evaluated extends Measured, Description {}

/**
 * The story: checkpoint URL → bytes → network → engine → features → metrics. Features in the cache are measured without
 * running the network, unless the request wants all anew (`force`).
 * @throws CollapsarError of whichever stage could not do its part, naming what was wrong.
 */
export async function evaluate(request: EvaluationRequest, context: EvaluationContext): Promise<Evaluated> {
  return evaluateOpened(await openEvaluation(request, context), context);
}

/** Returns what `evaluate` does, of an evaluation that is open already. @throws CollapsarError as `evaluate`. */
export async function evaluateOpened(
  opened: OpenedEvaluation,
  { sources, signal, onProgress, featureBudget }: EvaluationContext,
): Promise<Evaluated> {
  const { request, network, sets, description } = opened;
  const clock = stopwatch();
  const classifier = classifierOf(network);
  const taken = new Map<string, TakenFeatures>();
  try {
    for (const { part, dataset } of partsOf(sets)) {
      const report = (done: number, total: number) => onProgress?.({ stage: part, done, total });
      const options = { cache: sources.cache, budget: featureBudget, signal, onProgress: report };
      taken.set(part, await takeFeatures(opened, dataset, options));
    }
    clock.lap("features");
    onProgress?.({ stage: "metrics", done: 0, total: 1 });
    const features = await featureSets(sets.ood, async (part) => (await taken.get(part)?.read()) ?? null, signal);
    const measured = await measure(features, classifier, request);
    clock.lap("metrics");
    return { ...description, ...measured, seconds: { ...description.seconds, ...clock.laps } };
  } finally {
    for (const features of taken.values()) await features.close();
  }
}

/**
 * Returns the features of the sets, each as `read` gives those of its part (null: there is no such set); they cannot be
 * read any more once `signal` is aborted.
 */
export async function featureSets(
  ood: readonly OodName[],
  read: (part: string) => Promise<FeatureSet | null>,
  signal?: AbortSignal,
): Promise<FeatureSets> {
  const abortable = async (part: string) => {
    const set = await read(part);
    if (!set || !signal) return set;
    return { ...set, features: abortableRows(set.features, signal), logits: abortableRows(set.logits, signal) };
  };
  const [train, test, validation] = await Promise.all(["train", "test", "validation"].map(abortable));
  const others = ood.map(async ({ name, group }) => ({ name, group, set: (await abortable(`ood:${name}`))! }));
  return { train: train!, test: test ?? null, validation: validation ?? null, ood: await Promise.all(others) };
}
