import { type FetchedCheckpoint, fetchCheckpoint } from "../checkpoints/fetch.ts";
import type { DatasetSources } from "../datasets/open.ts";
import type { Engine } from "../engines/engine.ts";
import { openEngine } from "../engines/open.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import type { Network } from "../networks/network.ts";
import { classifierOf } from "../networks/network.ts";
import { extract } from "./extract.ts";
import { type FeatureStore, openFeatureStore } from "./features/sink.ts";
import type { ProtocolParts } from "./identity.ts";
import { protocolDigest, protocolOf } from "./identity.ts";
import type { Measured } from "./measure.ts";
import { measure } from "./measure.ts";
import type { Place } from "./place.ts";
import { placeOf } from "./place.ts";
import type { EvaluationRequest } from "./request.ts";
import type { EvaluationSets } from "./sets.ts";
import { openSets } from "./sets.ts";

/** What an evaluation is doing, and how far it is (bytes or images). */
export interface Progress {
  readonly stage: "download" | "train" | "test" | "metrics";
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
  const measured = known ?? (await measureNetwork(engine, network, sets, context, clock));
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
  engine: Engine,
  network: Network,
  sets: EvaluationSets,
  { signal, onProgress, featureBudget }: EvaluationContext,
  clock: Stopwatch,
): Promise<Measured> {
  const classifier = classifierOf(network);
  const stores: FeatureStore[] = [];
  const featuresOf = async (set: "train" | "test") => {
    const dataset = sets[set];
    if (!dataset) return null;
    const store = await openFeatureStore({ count: dataset.length, labels: dataset.labels, classifier }, featureBudget);
    stores.push(store);
    const report = (done: number, total: number) => onProgress?.({ stage: set, done, total });
    await extract(engine, network, dataset, store, { signal, onProgress: report });
    return store.read();
  };
  try {
    const train = (await featuresOf("train"))!;
    const test = await featuresOf("test");
    clock.lap("features");
    onProgress?.({ stage: "metrics", done: 0, total: 1 });
    const measured = await measure(train, test, classifier);
    clock.lap("metrics");
    return measured;
  } finally {
    for (const store of stores) await store.close();
  }
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
