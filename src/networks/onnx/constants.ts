import { float16ToFloat32 } from "../../checkpoints/halfPrecision.ts";
import type { GraphProto, NodeProto, TensorProto } from "../../checkpoints/onnx/schema.ts";
import { ELEMENT } from "../../checkpoints/onnx/schema.ts";

/** A constant of the file as float32. */
export interface FloatConstant {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

const DOUBLE = 11;
const HALF = 10;

/** Returns the initialiser or `Constant` of that name as float32; null where there is none, or not of numbers that fit. */
export function constantOf(
  graph: GraphProto,
  name: string,
  producers: ReadonlyMap<string, NodeProto>,
): FloatConstant | null {
  const node = producers.get(name);
  const tensor =
    graph.initializer.find((one) => one.name === name) ??
    (node?.opType === "Constant" ? node.attribute.find((one) => one.name === "value")?.t : null);
  if (!tensor) return null;
  const values = decodeFloats(tensor);
  const size = tensor.dims.reduce((product, length) => product * length, 1);
  return values?.length === size ? { dims: tensor.dims, values } : null;
}

function decodeFloats({ dataType, rawData, floatData }: TensorProto): Float32Array | null {
  const { buffer } = new Uint8Array(rawData.length > 0 ? rawData : floatData);
  if (dataType === ELEMENT.float && buffer.byteLength % 4 === 0) return new Float32Array(buffer);
  if (dataType === DOUBLE && rawData.length % 8 === 0) return Float32Array.from(new Float64Array(buffer));
  if (dataType === HALF && rawData.length % 2 === 0) return float16ToFloat32(new Uint16Array(buffer));
  return null;
}
