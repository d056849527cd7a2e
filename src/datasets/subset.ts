import { createHash } from "node:crypto";
import { CollapsarError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";

/** In the training set of a named dataset, the tenth, twentieth, … sample of each class are the validation part. */
const EVERY = 10;

/** Returns the images of `dataset` at `indices`, in that order, as the dataset `<name>:<part>`; a view, not a copy. */
export function subset(dataset: Dataset, indices: Uint32Array, part: string): Dataset {
  const { labels } = dataset;
  return {
    ...dataset,
    name: `${dataset.name}:${part}`,
    digest: createHash("sha256").update(`${dataset.digest}:${part}`).digest("hex"),
    length: indices.length,
    labels: labels && Int32Array.from(indices, (index) => labels[index]!),
    read: async (start, end) => gather(dataset, indices.subarray(start, end)),
  };
}

/** Returns the images `start` to `end` (exclusive) of `dataset`, in its order, as the dataset `<name>[start:end]`; a view. */
export function slice(dataset: Dataset, start: number, end: number): Dataset {
  const range = `[${start}:${end}]`;
  return {
    ...dataset,
    name: `${dataset.name}${range}`,
    digest: createHash("sha256").update(`${dataset.digest}${range}`).digest("hex"),
    length: end - start,
    labels: dataset.labels?.subarray(start, end) ?? null,
    read: (from, to) => dataset.read(start + from, start + to),
  };
}

/**
 * Returns `dataset` in two parts, each in its order: `validation` has samples 9, 19, 29, … (from 0) of each class, `rest`
 * all others.
 * @throws CollapsarError `malformed-dataset` where there are no labels.
 */
export function splitTenth(dataset: Dataset): { rest: Dataset; validation: Dataset } {
  if (!dataset.labels)
    throw new CollapsarError(
      "malformed-dataset",
      `dataset "${dataset.name}" has no labels, which its validation part needs`,
    );
  const seen = new Map<number, number>();
  const parts: { rest: number[]; validation: number[] } = { rest: [], validation: [] };
  for (const [index, label] of dataset.labels.entries()) {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    parts[count % EVERY === 0 ? "validation" : "rest"].push(index);
  }
  return {
    rest: subset(dataset, Uint32Array.from(parts.rest), "rest"),
    validation: subset(dataset, Uint32Array.from(parts.validation), "validation"),
  };
}

async function gather(dataset: Dataset, indices: Uint32Array): Promise<Uint8Array | Float32Array> {
  const size = dataset.height * dataset.width * dataset.channels;
  const images = new (dataset.kind === "pixels" ? Uint8Array : Float32Array)(indices.length * size);
  // neighbours are read at once: of a training set without every tenth sample of each class these are most
  for (let from = 0; from < indices.length; ) {
    let to = from + 1;
    while (to < indices.length && indices[to] === indices[from]! + to - from) to++;
    images.set(await dataset.read(indices[from]!, indices[from]! + to - from), from * size);
    from = to;
  }
  return images;
}
