import type { Checkpoint, Tensor } from "../checkpoints/checkpoint.ts";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { CollapsarError } from "../errors.ts";
import type { Classifier } from "../networks/network.ts";

/** Features (N×D), logits (N×C) and, where known, labels (N) of a set of images, row-major. */
export interface FeatureSet {
  readonly features: Float32Array | Float64Array;
  readonly logits: Float32Array | Float64Array;
  readonly labels: Int32Array | null;
  readonly count: number;
}

/** Returns the classifier of a features file. @throws CollapsarError `wrong-shape` that names the tensor. */
export function readClassifier(file: Checkpoint): Classifier {
  const weight = file.tensors.get("weight");
  if (weight?.shape.length !== 2) throw new CollapsarError("wrong-shape", 'expected a tensor "weight" of C×D');
  const [classes, dimensions] = weight.shape as [number, number];
  return {
    weight: floats(file, "weight", [classes, dimensions]),
    bias: floats(file, "bias", [classes]),
    classes,
    dimensions,
  };
}

/**
 * Returns the set of a features file whose tensor names start with `prefix` ("" for the file's own, `test_`, …), or null
 * where the file has no `<prefix>features`.
 * @throws CollapsarError `wrong-shape` that names the tensor, what it is and what was expected.
 */
export function readFeatureSet(file: Checkpoint, { classes, dimensions }: Classifier, prefix = ""): FeatureSet | null {
  const count = file.tensors.get(`${prefix}features`)?.shape[0];
  if (count === undefined) return null;
  return {
    features: floats(file, `${prefix}features`, [count, dimensions]),
    logits: floats(file, `${prefix}logits`, [count, classes]),
    labels: file.tensors.has(`${prefix}labels`) ? integers(file, `${prefix}labels`, count) : null,
    count,
  };
}

function tensorOf(file: Checkpoint, name: string, shape: readonly number[]): Tensor {
  const tensor = file.tensors.get(name);
  const expected = shape.join("×");
  if (!tensor) throw new CollapsarError("wrong-shape", `no tensor "${name}" (${expected}) in the features file`);
  if (tensor.shape.length !== shape.length || tensor.shape.some((length, axis) => length !== shape[axis]))
    throw new CollapsarError("wrong-shape", `tensor "${name}" is ${tensor.shape.join("×")}, expected ${expected}`);
  return tensor;
}

function floats(file: Checkpoint, name: string, shape: readonly number[]): Float32Array | Float64Array {
  const { data, dtype } = tensorOf(file, name, shape);
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new CollapsarError("wrong-shape", `tensor "${name}" holds ${dtype}, expected floating point`);
}

function integers(file: Checkpoint, name: string, count: number): Int32Array {
  const { data, dtype } = tensorOf(file, name, [count]);
  if (data instanceof Float32Array || data instanceof Float64Array)
    throw new CollapsarError("wrong-shape", `tensor "${name}" holds ${dtype}, expected integers`);
  return data instanceof Int32Array ? data : Int32Array.from(data as ArrayLike<number | bigint>, toLabel);
}

/** What does not fit 32 bits must not wrap into a valid label. */
function toLabel(value: number | bigint): number {
  return Math.max(-1, Math.min(Number(value), 2 ** 31 - 1));
}

/** Returns the features file of a set and its classifier: what `readClassifier` and `readFeatureSet` read. */
export function writeFeatures(set: FeatureSet, classifier: Classifier, metadata: Record<string, string>): Uint8Array {
  const { classes, dimensions, weight, bias } = classifier;
  const tensor = (data: Tensor["data"], ...shape: number[]): Tensor => ({ dtype: "F32", shape, data });
  const tensors: [string, Tensor][] = [
    ["features", tensor(set.features, set.count, dimensions)],
    ["logits", tensor(set.logits, set.count, classes)],
    ...(set.labels ? [["labels", tensor(set.labels, set.count)] as [string, Tensor]] : []),
    ["weight", tensor(weight, classes, dimensions)],
    ["bias", tensor(bias, classes)],
  ];
  return writeSafetensors(tensors, metadata);
}
