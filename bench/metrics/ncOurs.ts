/**
 * All of NC1 to NC4 of a features file: `node bench/metrics/ncOurs.ts F.safetensors [repeats [samples]]`. Prints JSON: seconds
 * from opening the file to the numbers, of the fastest and of all, and the numbers; with `samples` of its first ones alone.
 */
import { openFile } from "../../src/evaluation/features/bytes.ts";
import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { collapse } from "../../src/metrics/collapse.ts";
import type { LabelledSet, Rows } from "../../src/metrics/rows.ts";

const [path, repeats = "1", samples = "Infinity"] = process.argv.slice(2);
const all: number[] = [];
let values: object = {};
for (let round = 0; round < Number(repeats); round++) {
  const begun = performance.now();
  const file = await openFeatureFile(await openFile(path!));
  const classifier = await file.classifier();
  values = (await collapse(firstOf((await file.set(classifier)) as LabelledSet, Number(samples)), classifier)).values;
  await file.close();
  all.push((performance.now() - begun) / 1000);
}
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds: Math.min(...all), all, peakMiB, values }));

function firstOf(set: LabelledSet, samples: number): LabelledSet {
  const count = Math.min(samples, set.count);
  const first = (rows: Rows): Rows => ({ ...rows, count });
  return { features: first(set.features), logits: first(set.logits), labels: set.labels.subarray(0, count), count };
}
