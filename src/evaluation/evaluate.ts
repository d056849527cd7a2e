import { type FetchedCheckpoint, fetchCheckpoint } from "../checkpoints/fetch.ts";
import type { DatasetSources } from "../datasets/open.ts";
import type { Engine } from "../engines/engine.ts";
import { openEngine } from "../engines/open.ts";
import type { FeatureSet } from "../metrics/rows.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import type { Network } from "../networks/network.ts";
import { classifierOf, signatureOf } from "../networks/network.ts";
import { extract, requireMatchingImages } from "./extract.ts";
import { type FeatureStore, openFeatureStore } from "./features/sink.ts";
import type { ProtocolParts } from "./identity.ts";
import { protocolDigest, protocolOf } from "./identity.ts";
import type { FeatureSets, Measured } from "./measure.ts";
import { measure } from "./measure.ts";
import type { Place } from "./place.ts";
import { placeOf } from "./place.ts";
import type { EvaluationRequest } from "./request.ts";
import type { EvaluationSets } from "./sets.ts";
import { openSets, partsOf } from "./sets.ts";

/** What an evaluation is doing, and how far it is (bytes or images). */
export interface Progress {
  /** `download`, `metrics`, or the part whose features are taken: `train`, `test`, `validation`, `ood:<name>`. */
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
  /** Returns the numbers of the same bytes under the same protocol, if they were ever recorded. */
  readonly findMeasured?: (sha256: string, protocol: string) => Promise<Measured | null>;
}

/** Everything there is to record of one evaluation. */
export interface Evaluated extends Measured {
  readonly place: Place;
  readonly checkpoint: {
    readonly url: string;
    readonly sha256: string;
    readonly size: number;
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly protocol: string;
  readonly protocolParts: ProtocolParts;
  readonly engine: { readonly version: string; readonly device: string };
  /** Duration of each stage, seconds. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * The story: checkpoint URL → bytes → network → engine → features → metrics. Numbers already known for the same bytes
 * and protocol are taken over without running the network, unless `force` asks for them anew.
 * @throws CollapsarError of whichever stage could not do its part, naming what was wrong.
 */
export async function evaluate(request: EvaluationRequest, context: EvaluationContext): Promise<Evaluated> {
  const { sources, signal, onProgress } = context;
  const clock = stopwatch();
  const fetched = await fetchCheckpoint(sources.storage, request.checkpoint, {
    signal,
    onProgress: (done, total) => onProgress?.({ stage: "download", done, total }),
  });
  const { checkpoint, sha256 } = fetched;
  const place = placeOf(request, checkpoint.metadata, sha256);
  const { network } = networkOf(checkpoint, request.network);
  clock.lap("download");

  const sets = await openSets(request, checkpoint.metadata, sources, { signal });
  const engine = await openEngine(request);
  const protocolParts = protocolOf(request, engine, sets);
  const protocol = protocolDigest(protocolParts);
  clock.lap("open");

  const known = request.force ? null : await context.findMeasured?.(sha256, protocol);
  const measured = known ?? (await measureNetwork(request, engine, network, sets, context, clock));
  return {
    ...measured,
    place,
    checkpoint: describeCheckpoint(fetched),
    protocol,
    protocolParts,
    engine: { version: engine.version, device: engine.device },
    seconds: clock.laps,
  };
}

async function measureNetwork(
  { jitter }: EvaluationRequest,
  engine: Engine,
  network: Network,
  sets: EvaluationSets,
  { signal, onProgress, featureBudget }: EvaluationContext,
  clock: Stopwatch,
): Promise<Measured> {
  const classifier = classifierOf(network);
  const stores = new Map<string, FeatureStore>();
  for (const { dataset } of partsOf(sets)) requireMatchingImages(dataset, signatureOf(network));
  try {
    for (const { part, dataset } of partsOf(sets)) {
      const { length: count, labels } = dataset;
      const store = await openFeatureStore({ count, labels, classifier }, featureBudget);
      stores.set(part, store);
      const report = (done: number, total: number) => onProgress?.({ stage: part, done, total });
      await extract(engine, network, dataset, store, { signal, onProgress: report });
    }
    clock.lap("features");
    onProgress?.({ stage: "metrics", done: 0, total: 1 });
    const features = await featureSets(sets, async (part) => (await stores.get(part)?.read()) ?? null);
    const measured = await measure(features, classifier, { jitter });
    clock.lap("metrics");
    return measured;
  } finally {
    for (const store of stores.values()) await store.close();
  }
}

/** Returns the features of the sets, each as `read` gives those of its part. */
async function featureSets(
  { ood }: EvaluationSets,
  read: (part: string) => Promise<FeatureSet | null>,
): Promise<FeatureSets> {
  const [train, test, validation] = await Promise.all(["train", "test", "validation"].map(read));
  const others = ood.map(async ({ name, group }) => ({ name, group, set: (await read(`ood:${name}`))! }));
  return { train: train!, test: test ?? null, validation: validation ?? null, ood: await Promise.all(others) };
}

function describeCheckpoint({ head, sha256, checkpoint }: FetchedCheckpoint): Evaluated["checkpoint"] {
  return { url: head.url, sha256, size: head.size, metadata: checkpoint.metadata };
}

interface Stopwatch {
  readonly laps: Record<string, number>;
  lap(name: string): void;
}

function stopwatch(): Stopwatch {
  let last = performance.now();
  const laps: Record<string, number> = {};
  return {
    laps,
    lap(name) {
      const now = performance.now();
      laps[name] = (now - last) / 1000;
      last = now;
    },
  };
}
