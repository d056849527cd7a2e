import type { Share } from "../../database/schema.ts";
import { concatenatedRows, type FeatureSet } from "../../metrics/rows.ts";
import { withTemporaryFolder } from "../../temporaryFolder.ts";
import { featureSets } from "../evaluate.ts";
import type { FeatureFile } from "../features/file.ts";
import { type Measured, measure } from "../measure.ts";
import type { EvaluationRequest } from "../request.ts";
import { oodReferences } from "../sets.ts";

/** Opens the features file of one share; what must be copied to be read goes into the folder `copies`. */
export type OpenShare = (place: { shard: number; share: number; copies: string }) => Promise<FeatureFile>;

/**
 * Returns the numbers of an evaluation from the features of all its `shards`, in order: those of the uncut sets to the last
 * bit, for the parts of a set are read as one table.
 * @throws CollapsarError as `openShare` and `measure`.
 */
export async function mergeShards(
  request: EvaluationRequest,
  shards: readonly (readonly Share[])[],
  openShare: OpenShare,
  signal?: AbortSignal,
): Promise<Measured> {
  return withTemporaryFolder(async (copies) => {
    const opened: { part: string; file: FeatureFile }[] = [];
    try {
      for (const [shard, shares] of shards.entries())
        for (const [share, { part }] of shares.entries())
          opened.push({ part, file: await openShare({ shard, share, copies }) });
      const classifier = await opened[0]!.file.classifier();
      const files = Map.groupBy(opened, ({ part }) => part);
      const features = await featureSets(
        oodReferences(request),
        async (part) => {
          const sets = files.get(part)?.map(async ({ file }) => (await file.set(classifier))!);
          return sets ? joined(await Promise.all(sets)) : null;
        },
        signal,
      );
      return await measure(features, classifier, request);
    } finally {
      for (const { file } of opened) await file.close();
    }
  });
}

function joined(sets: readonly FeatureSet[]): FeatureSet {
  return {
    features: concatenatedRows(sets.map(({ features }) => features)),
    logits: concatenatedRows(sets.map(({ logits }) => logits)),
    labels: joinedLabels(sets.map(({ labels }) => labels)),
    count: sets.reduce((sum, { count }) => sum + count, 0),
  };
}

/** All of a set's parts have labels, or none. */
function joinedLabels(parts: readonly (Int32Array | null)[]): Int32Array | null {
  const known = parts.filter((labels) => labels !== null);
  if (known.length === 0) return null;
  const labels = new Int32Array(known.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of known) {
    labels.set(part, at);
    at += part.length;
  }
  return labels;
}
