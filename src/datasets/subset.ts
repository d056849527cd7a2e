// TEMPORARY stand-in so that others can run their code; the owner of src/datasets overwrites this file.
import { createHash } from "node:crypto";
import type { Dataset } from "./dataset.ts";
export function subset(d: Dataset, idx: number[], part: string): Dataset {
  const size = d.height * d.width * d.channels;
  return { ...d, length: idx.length, labels: d.labels && Int32Array.from(idx, (i) => d.labels![i]!), digest: createHash("sha256").update(d.digest + part).digest("hex"), name: `${d.name}`,
    async read(a, b) { const all = (await d.read(0, d.length)) as Uint8Array; const out = new Uint8Array((b - a) * size); for (let k = a; k < b; k++) out.set(all.subarray(idx[k]! * size, (idx[k]! + 1) * size), (k - a) * size); return out; } };
}
export function splitTenth(d: Dataset) {
  const seen = new Map<number, number>(); const rest: number[] = []; const val: number[] = [];
  d.labels!.forEach((l, i) => { const n = (seen.get(l) ?? 0) + 1; seen.set(l, n); (n % 10 === 0 ? val : rest).push(i); });
  return { rest: subset(d, rest, "rest"), validation: subset(d, val, "validation") };
}
