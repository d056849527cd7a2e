import { type FetchedCheckpoint, fetchCheckpoint } from "../checkpoints/fetch.ts";
import type { Engine } from "../engines/engine.ts";
import { openEngine } from "../engines/open.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import type { Network } from "../networks/network.ts";
import { signatureOf } from "../networks/network.ts";
import { redactUrl } from "../storage/url.ts";
import type { EvaluationContext } from "./evaluate.ts";
import { requireMatchingImages, requireValidLabels } from "./extract.ts";
import type { ProtocolParts } from "./identity.ts";
import { protocolDigest, protocolOf } from "./identity.ts";
import type { Place } from "./place.ts";
import { placeOf } from "./place.ts";
import type { EvaluationRequest } from "./request.ts";
import type { EvaluationSets } from "./sets.ts";
import { openSets, partsOf } from "./sets.ts";
import { stopwatch } from "./stopwatch.ts";

/** What there is to record of an evaluation besides its numbers. */
export interface Description {
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
  /** Duration of each stage so far, seconds. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** An evaluation of which everything is at hand but the features. */
export interface OpenedEvaluation {
  readonly request: EvaluationRequest;
  readonly network: Network;
  readonly engine: Engine;
  readonly sets: EvaluationSets;
  readonly description: Description;
  /** The evaluation that has the numbers of the same bytes under the same protocol; null: none, or they are asked for anew. */
  readonly recorded: string | null;
}

/**
 * Opens what `request` names: checkpoint URL → bytes → network, the sets, the engine.
 * @throws CollapsarError of whichever could not be opened or does not fit the others, naming what was wrong.
 */
export async function openEvaluation(
  request: EvaluationRequest,
  { sources, signal, onProgress, findRecorded }: EvaluationContext,
): Promise<OpenedEvaluation> {
  const clock = stopwatch();
  const fetched = await fetchCheckpoint(sources.storage, request.checkpoint, {
    signal,
    cache: sources.cache,
    onProgress: (done, total) => onProgress?.({ stage: "download", done, total }),
  });
  const { checkpoint, sha256 } = fetched;
  const place = placeOf(request, checkpoint.metadata, sha256);
  const { network } = networkOf(checkpoint, request.network);
  clock.lap("download");

  const sets = await openSets(request, checkpoint.metadata, sources, { signal });
  requireFittingSets(sets, network);
  const engine = await openEngine(request);
  const protocolParts = protocolOf(request, engine, sets);
  const protocol = protocolDigest(protocolParts);
  const recorded = request.force ? null : await findRecorded?.(sha256, protocol);
  clock.lap("open");
  const description = {
    place,
    checkpoint: describeCheckpoint(fetched),
    protocol,
    protocolParts,
    engine: { version: engine.version, device: engine.device },
    seconds: clock.laps,
  };
  return { request, network, engine, sets, description, recorded: recorded ?? null };
}

function requireFittingSets(sets: EvaluationSets, network: Network): void {
  const signature = signatureOf(network);
  for (const { dataset } of partsOf(sets)) {
    requireMatchingImages(dataset, signature);
    requireValidLabels(dataset, signature.classes);
  }
}

function describeCheckpoint({ head, sha256, checkpoint }: FetchedCheckpoint): Description["checkpoint"] {
  return { url: redactUrl(head.url), sha256, size: head.size, metadata: checkpoint.metadata };
}
