import type { DType, Tensor } from "../../checkpoints/checkpoint.ts";
import { decodeTensor, type Placed, readSafetensorsLayout } from "../../checkpoints/safetensors.ts";
import { CollapsarError } from "../../errors.ts";
import type { Reals } from "../../metrics/matrix.ts";
import type { FeatureSet, Rows } from "../../metrics/rows.ts";
import type { Classifier } from "../../networks/network.ts";
import type { ByteSource } from "../../storage/byteSource.ts";

/** A features file: what `extract` writes and `metrics` reads. Its tables are read by blocks, and only its small tensors at once. */
export interface FeatureFile {
  readonly metadata: Readonly<Record<string, string>>;
  /** Returns its `weight` (C×D) and `bias` (C). @throws CollapsarError `wrong-shape` that names the tensor. */
  classifier(): Promise<Classifier>;
  /**
   * Returns the set whose tensor names start with `prefix` ("" for the file's own, `test_`, …), or null where the file has
   * none: `<prefix>features` (N×D), `<prefix>logits` (N×C) and, where known, `<prefix>labels` (N).
   * @throws CollapsarError `wrong-shape` that names the tensor, what it is and what was expected.
   */
  set(classifier: Classifier, prefix?: string): Promise<FeatureSet | null>;
  /** Returns logits and labels alone, which is all that calibration needs, or null where the file has none. @throws as `set`. */
  logits(classifier: Classifier, prefix?: string): Promise<Omit<FeatureSet, "features"> | null>;
  close(): Promise<void>;
}

const FLOATS: Readonly<Partial<Record<DType, number>>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/** Opens a features file. @throws CollapsarError `malformed-checkpoint` where it is no safetensors file. */
export async function openFeatureFile(source: ByteSource): Promise<FeatureFile> {
  const read = async (start: number, end: number) => {
    const bytes = new Uint8Array(end - start);
    await source.readInto(bytes, start);
    return bytes;
  };
  const { tensors, metadata } = await readSafetensorsLayout(read, source.size);

  function placeOf(name: string, shape: readonly number[]): Placed {
    const placed = tensors.get(name);
    const expected = shape.join("×");
    if (!placed) throw new CollapsarError("wrong-shape", `no tensor "${name}" (${expected}) in the features file`);
    if (placed.shape.length !== shape.length || placed.shape.some((length, axis) => length !== shape[axis]))
      throw new CollapsarError("wrong-shape", `tensor "${name}" is ${placed.shape.join("×")}, expected ${expected}`);
    return placed;
  }

  function table(name: string, count: number, columns: number): Rows {
    const { dtype, begin } = placeOf(name, [count, columns]);
    const bytes = columns * floatBytes(name, dtype);
    const { fd } = source;
    return {
      count,
      columns,
      place: dtype === "F32" && fd !== undefined ? { fd, begin } : undefined,
      async read(start, end, buffer) {
        const length = (end - start) * bytes;
        const raw = buffer ? buffer().subarray(0, length) : new Uint8Array(length);
        await source.readInto(raw, begin + start * bytes);
        return decodeTensor(dtype, raw) as Reals;
      },
    };
  }

  async function small(name: string, shape: readonly number[]): Promise<Tensor["data"]> {
    const { dtype, begin, end } = placeOf(name, shape);
    return decodeTensor(dtype, await read(begin, end));
  }

  async function floats(name: string, shape: readonly number[]): Promise<Reals> {
    floatBytes(name, placeOf(name, shape).dtype);
    return (await small(name, shape)) as Reals;
  }

  async function labels(name: string, count: number): Promise<Int32Array | null> {
    if (!tensors.has(name)) return null;
    const { dtype } = placeOf(name, [count]);
    if (FLOATS[dtype]) throw new CollapsarError("wrong-shape", `tensor "${name}" holds ${dtype}, expected integers`);
    const data = await small(name, [count]);
    return data instanceof Int32Array ? data : Int32Array.from(data as ArrayLike<number | bigint>, toLabel);
  }

  async function logitsOf({ classes }: Classifier, prefix: string, count: number | undefined) {
    if (count === undefined) return null;
    const logits = table(`${prefix}logits`, count, classes);
    return { logits, labels: await labels(`${prefix}labels`, count), count };
  }

  return {
    metadata,
    async classifier() {
      const weight = tensors.get("weight");
      if (weight?.shape.length !== 2)
        throw new CollapsarError(
          "wrong-shape",
          'no tensor "weight" (C×D): expected a features file, as collapsar extract writes it',
        );
      const [classes, dimensions] = weight.shape as [number, number];
      return {
        weight: await floats("weight", [classes, dimensions]),
        bias: await floats("bias", [classes]),
        classes,
        dimensions,
      };
    },
    async set(classifier, prefix = "") {
      const count = tensors.get(`${prefix}features`)?.shape[0];
      const rest = await logitsOf(classifier, prefix, count);
      return rest && { features: table(`${prefix}features`, rest.count, classifier.dimensions), ...rest };
    },
    logits: (classifier, prefix = "") => logitsOf(classifier, prefix, tensors.get(`${prefix}logits`)?.shape[0]),
    close: () => source.close(),
  };
}

function floatBytes(name: string, dtype: DType): number {
  const bytes = FLOATS[dtype];
  if (bytes) return bytes;
  throw new CollapsarError("wrong-shape", `tensor "${name}" holds ${dtype}, expected floating point`);
}

/** What does not fit 32 bits must not wrap into a valid label. */
function toLabel(value: number | bigint): number {
  return Math.max(-1, Math.min(Number(value), 2 ** 31 - 1));
}
