/**
 * One process of the GMM's bench, ours: `node bench/metrics/gmmOurs.ts F.safetensors`. Prints JSON: seconds of fitting all its
 * features and of scoring the first 20,000, from features in memory.
 */

import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { fitGmm } from "../../src/metrics/ood/gmm.ts";
import { momentsOf } from "../../src/metrics/ood/moments.ts";
import { type LabelledSet, rowsInMemory } from "../../src/metrics/rows.ts";
import { openFile } from "../../src/storage/byteSource.ts";
import type { GmmRun } from "./gmm.ts";

const SCORED = 20_000;

console.log(JSON.stringify(await ours(process.argv[2]!)));

async function ours(path: string): Promise<GmmRun> {
  const file = await openFeatureFile(await openFile(path));
  const classifier = await file.classifier();
  const { features, logits, labels, count } = (await file.set(classifier)) as LabelledSet;
  const train = { features: rowsInMemory(await features.read(0, count), features.columns), logits, labels, count };
  const scored = { ...train, count: SCORED, features: await headOf(train), labels: labels.subarray(0, SCORED) };
  const fitted = async (set: LabelledSet) => fitGmm(set, { moments: await momentsOf(set), classifier });
  await (await fitted(scored)).score(scored); // a service compiles and loads once
  const begun = performance.now();
  const scorer = await fitted(train);
  const fit = (performance.now() - begun) / 1000;
  const scores = await scorer.score(scored);
  const score = (performance.now() - begun) / 1000 - fit;
  const mean = scores.reduce((a, b) => a + b) / SCORED;
  return { fit, score, jitter: scorer.jitter!, mean, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

async function headOf({ features }: LabelledSet) {
  return rowsInMemory(await features.read(0, SCORED), features.columns);
}
