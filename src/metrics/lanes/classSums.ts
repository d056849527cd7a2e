import { ClassSums } from "../classMeans.ts";
import { blocksOf, type LabelledSet } from "../rows.ts";
import { requireFiniteFeatures } from "../samples.ts";
import { openKernels } from "../wasm/kernels.ts";
import type { PartSums } from "./blockSums.ts";
import { lanesFor } from "./lanes.ts";
import { takeTurns, turnsOf } from "./turns.ts";
import type { FeatureBlock } from "./work.ts";

/** Parts of a set whose sums are taken apart, which have at most so many bytes together: zeros take time, too. */
const MOST_PARTS = 8;
const MOST_PART_BYTES = 2 ** 26;

/** A part has at least so many samples of each class, or else adding up the parts would take long beside them. */
const LEAST_OF_CLASS = 32;

/** Blocks have so many samples of each class, that fours of them are added at a time; 2²² numbers are 16 MB. */
const ROWS_OF_CLASS = 8;
const LEAST_ROWS = 512;
const MOST_ROWS = 4096;
const MOST_NUMBERS = 2 ** 22;

/**
 * Returns the sums of a set with valid labels. Each lane sums some parts of it, which depend on nothing but its shape, so that the sums
 * are those of one thread to the last bit. Four float32 features of a class are added in float64 before their sum is compensated: exactly,
 * unless two of them are 2²⁷ apart, and then to a rounding of the larger.
 * @throws CollapsarError `non-finite-feature` that names the sample.
 */
export async function classSumsOf({ features, logits, labels, count }: LabelledSet): Promise<ClassSums> {
  const classes = logits.columns;
  const { columns: dimensions } = features;
  const rows = blockRowsFor(classes, dimensions);
  const numbers = classes * dimensions;
  const most = Math.min(MOST_PARTS, MOST_PART_BYTES / (16 * numbers), count / (LEAST_OF_CLASS * classes));
  const partRows = Math.max(1, Math.ceil(count / Math.max(1, Math.floor(most)) / rows)) * rows;
  const partCount = Math.ceil(count / partRows);

  const lanes = lanesFor(features);
  const bytes = Math.min(rows, count) * dimensions * 8;
  const kernels = openKernels(lanes.length * (2 * bytes + 4 * rows) + 4 * count + 16 * partCount * numbers);
  const part = (): PartSums => ({ sums: kernels.float64(numbers), errors: kernels.float64(numbers) });
  const parts = Array.from({ length: partCount }, part);
  const there = kernels.int32(count);
  there.set(labels);
  const rooms = lanes.map((lane) => ({
    lane,
    order: kernels.int32(rows),
    buffers: [kernels.bytes(bytes), kernels.bytes(bytes)] as const,
  }));
  const room = kernels.share();
  const given = { work: "sums", room, parts, partRows, labels: there, classes, dimensions } as const;
  const stations = await Promise.all(
    rooms.map(async ({ lane, order, buffers }) => ({ buffers, work: await lane.begin({ ...given, order }) })),
  );
  const sums = new ClassSums(classes, dimensions);
  try {
    await takeTurns(features, turnsOf(features, rows, partRows), stations, requireFiniteFloat64);
    sums.addParts(labels, parts);
  } finally {
    for (const { work } of stations) work.release();
    kernels.release();
  }
  if (!sums.areFinite)
    for await (const { start, values } of blocksOf(features)) requireFiniteFeatures(values, dimensions, start);
  return sums;

  /** Of float32 the sums tell; float64 may be finite and yet too large to be squared. */
  function requireFiniteFloat64({ start, values }: FeatureBlock) {
    if (values instanceof Float64Array) requireFiniteFeatures(values, dimensions, start);
  }
}

function blockRowsFor(classes: number, dimensions: number): number {
  const wanted = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, ROWS_OF_CLASS * classes));
  return Math.max(1, Math.min(wanted, Math.floor(MOST_NUMBERS / dimensions)));
}
