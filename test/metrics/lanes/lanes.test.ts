import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ClassSums, centredMeans } from "../../../src/metrics/classMeans.ts";
import { classSpace } from "../../../src/metrics/classSpace.ts";
import { symmetricEigenvalues } from "../../../src/metrics/eigenvalues.ts";
import { classSumsOf } from "../../../src/metrics/lanes/classSums.ts";
import { lanesFor, loadLanes, spareLane, THIS_THREAD } from "../../../src/metrics/lanes/lanes.ts";
import { samplePass } from "../../../src/metrics/lanes/pass.ts";
import type { Precision } from "../../../src/metrics/nearestMean.ts";
import { type FilePlace, type LabelledSet, type Rows, rowsInMemory } from "../../../src/metrics/rows.ts";
import { HAS_TILES } from "../../../src/metrics/tiles.ts";

// just enough numbers for lanes, and a last block that is not full
const [classes, dimensions, count] = [7, 509, 33_011];

const labels = Int32Array.from({ length: count }, (_, i) => (i * 5) % classes);
const values = Float32Array.from({ length: count * dimensions }, (_, k) => {
  const label = labels[Math.floor(k / dimensions)]!;
  return ((k * 7919) % 1009) / 300 + Math.sin((k % dimensions) * (label + 1));
});
const logits = rowsInMemory(new Float32Array(count * classes), classes);
const setOf = (features: Rows): LabelledSet => ({ features, logits, labels, count });
const set = setOf(rowsInMemory(values, dimensions));

const known = new ClassSums(classes, dimensions);
known.add(values, labels);
const means = known.means();
const space = await classSpace(means, centredMeans(means));
const scatter = (features: Rows, precision: Precision) =>
  samplePass(features, { space, precision, origins: "means", references: means, rowOf: labels, checkedShare: 0.1 });

async function measure(features: Rows) {
  const [sums, float32, float64, bytes] = await Promise.all([
    classSumsOf(setOf(features)),
    scatter(features, "float32"),
    scatter(features, "float64"),
    HAS_TILES ? scatter(features, "bytes") : null,
  ]);
  return { means: sums.means(), float32, float64, bytes };
}

/** Puts numbers behind some other bytes of a file, while `use` works. */
async function inFile(numbers: Float32Array, use: (place: FilePlace) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "collapsar-"));
  const path = join(folder, "features");
  await writeFile(path, Buffer.concat([Buffer.alloc(1003), Buffer.from(numbers.buffer, 0, numbers.byteLength)]));
  const file = await open(path);
  try {
    await use({ fd: file.fd, begin: 1003 });
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
}

describe("lanes", async () => {
  const alone = await measure(set.features); // nobody has loaded them
  await loadLanes();

  it("are as many as the machine has cores, up to 8, and are not asked for few features", () => {
    const lanes = lanesFor(set.features);
    expect(lanes).toHaveLength(Math.min(availableParallelism(), 8));
    expect(lanes).toContain(spareLane());
    expect(lanesFor({ count: 100, columns: dimensions })).toEqual([THIS_THREAD]);
    expect(lanes).not.toContain(THIS_THREAD);
  });

  it("give the bits of one thread: class means, scatter, nearest means and the check of float32", async () => {
    const together = await measure(set.features);
    expect(together).toEqual(alone);
    expect(together.means.values).toEqual(means.values);
    expect(together.float32.check.float64).toBeGreaterThan(0);
    expect(together.float32.check.squares).toBeGreaterThan(4 * together.float32.check.float32);
  });

  it("take float64 as well", async () => {
    const wide = await measure(rowsInMemory(Float64Array.from(values), dimensions));
    expect(wide.means).toEqual(alone.means);
    expect(wide.float64.nearest).toEqual(alone.float64.nearest);
    for (const name of ["squares", "whitened"] as const)
      wide.float64[name].forEach((value, i) => {
        if (Math.abs(value / alone.float64[name][i]! - 1) > 1e-12) throw new Error(`${name} of sample ${i}: ${value}`);
      });
  });

  it("end with the error of a block that cannot be read, and work again", async () => {
    const broken: Rows = {
      ...set.features,
      async read(start, end, buffer) {
        if (start > 10_000) throw new Error(`no rows from ${start} on`);
        return set.features.read(start, end, buffer);
      },
    };
    await expect(classSumsOf(setOf(broken))).rejects.toThrow(/^no rows from/);
    await expect(scatter(broken, "float64")).rejects.toThrow(/^no rows from/);
    expect(await scatter(set.features, "float64")).toEqual(alone.float64);
  });

  it("read a file by themselves, and give the same bits", async () => {
    await inFile(values, async (place) => {
      const read = async () => {
        throw new Error("this thread is not to read");
      };
      expect(await measure({ ...set.features, read, place })).toEqual(alone);
    });
  });

  it("end with an error where the file ends too early, and work again", async () => {
    await inFile(values.subarray(0, values.length - 1), async (place) => {
      const short = { ...set.features, place };
      await expect(classSumsOf(setOf(short))).rejects.toThrow(
        /^the file ends within the features of samples 32768 to 33010/,
      );
      await expect(scatter(short, "float64")).rejects.toThrow(/^the file ends within/);
    });
    expect(await scatter(set.features, "float64")).toEqual(alone.float64);
  });

  it("stop where it is aborted", async () => {
    await inFile(values, async (place) => {
      const aborted = AbortSignal.abort(new Error("no more of this"));
      await expect(scatter({ ...set.features, place, signal: aborted }, "float64")).rejects.toThrow("no more of this");
      const controller = new AbortController();
      const stopped = scatter({ ...set.features, place, signal: controller.signal }, "float64");
      setImmediate(() => controller.abort(new Error("nor of that")));
      await expect(stopped).rejects.toThrow("nor of that");
    });
  });

  it("end with the error of a lane", async () => {
    const [lane] = lanesFor(set.features);
    const matrix = { rows: 2, columns: 2, values: null as unknown as Float64Array };
    await expect(lane!.eigenvalues(matrix)).rejects.toThrow(TypeError);
  });

  it("take eigenvalues beside this thread", async () => {
    const { gram } = space;
    expect(await spareLane().eigenvalues(gram)).toEqual(symmetricEigenvalues(gram));
  });
});
