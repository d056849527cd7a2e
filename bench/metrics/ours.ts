/**
 * All of NC1 to NC4 of a features file: `node bench/metrics/ours.ts F.safetensors [rounds]`. Prints JSON: seconds from opening
 * the file to the numbers, of the fastest round and of all, and the numbers.
 */
import { openFile } from "../../src/evaluation/features/bytes.ts";
import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { collapse } from "../../src/metrics/collapse.ts";
import type { LabelledSet } from "../../src/metrics/rows.ts";

const [path, rounds = "1"] = process.argv.slice(2);
const seconds: number[] = [];
let values: object = {};
for (let round = 0; round < Number(rounds); round++) {
  const begun = performance.now();
  const file = await openFeatureFile(await openFile(path!));
  const classifier = await file.classifier();
  values = (await collapse((await file.set(classifier)) as LabelledSet, classifier)).values;
  await file.close();
  seconds.push((performance.now() - begun) / 1000);
}
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds: Math.min(...seconds), all: seconds, peakMiB, values }));
