/**
 * All of NC1 to NC4 of a features file: `node bench/metrics/ncOurs.ts F.safetensors [repeats [samples]]`. Prints JSON: seconds
 * from opening the file to the numbers, of the first time and of the fastest, and the numbers; with `samples` of its first ones alone.
 */

import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { collapse } from "../../src/metrics/collapse.ts";
import { loadLanes } from "../../src/metrics/lanes/lanes.ts";
import { timesTransposed } from "../../src/metrics/products.ts";
import type { LabelledSet, Rows } from "../../src/metrics/rows.ts";
import { openFile } from "../../src/storage/byteSource.ts";

// as theirs, ours begins with its library loaded
const small = { rows: 1, columns: 1, values: Float64Array.of(1) };
await timesTransposed(small, small);
await loadLanes();

const [path, repeats = "1", samples = "Infinity"] = process.argv.slice(2);
const seconds: number[] = [];
let values: object = {};
for (let round = 0; round < Number(repeats); round++) {
  const begun = performance.now();
  const file = await openFeatureFile(await openFile(path!));
  const classifier = await file.classifier();
  values = (await collapse(firstOf((await file.set(classifier)) as LabelledSet, Number(samples)), classifier)).values;
  await file.close();
  seconds.push((performance.now() - begun) / 1000);
}
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ first: seconds[0], best: Math.min(...seconds), peakMiB, values }));

function firstOf(set: LabelledSet, samples: number): LabelledSet {
  const count = Math.min(samples, set.count);
  const first = (rows: Rows): Rows => ({ ...rows, count });
  return { features: first(set.features), logits: first(set.logits), labels: set.labels.subarray(0, count), count };
}
