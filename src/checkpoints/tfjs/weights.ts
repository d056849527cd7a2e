import { z } from "zod";
import type { Tensor } from "../checkpoint.ts";
import { float16ToFloat32 } from "../halfPrecision.ts";
import { malformed } from "./malformed.ts";

/** Bytes per element of what a weights file may hold: plain types, and those quantised to. */
const BYTES = { float32: 4, int32: 4, uint8: 1, bool: 1, float16: 2, uint16: 2 } as const;

const MAX_LENGTH = 2 ** 31;

const affine = { scale: z.number(), min: z.number() };
const quantization = z.discriminatedUnion("dtype", [
  z.object({ dtype: z.literal("uint8"), ...affine }),
  z.object({ dtype: z.literal("uint16"), ...affine }),
  z.object({ dtype: z.literal("float16") }),
]);

/** The number of lengths is checked before any of them. */
const shape = z
  .custom<unknown[]>((value) => Array.isArray(value) && value.length <= 8, "expected at most 8 lengths")
  .pipe(z.array(z.number().int().nonnegative().max(MAX_LENGTH)));

/** One tensor of a manifest. */
export const weightEntry = z
  .object({
    name: z.string().min(1).max(256),
    shape,
    dtype: z.enum(["float32", "int32", "uint8", "bool"]),
    quantization: quantization.optional(),
  })
  .refine(
    ({ dtype, quantization }) =>
      !quantization || dtype === "float32" || (dtype === "int32" && quantization.dtype !== "float16"),
    "only float32, and int32 as uint8 or uint16, can be quantised",
  );

export type WeightEntry = z.infer<typeof weightEntry>;

/** Tensors one after the other in the bytes of some files, which are joined. */
export interface WeightsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
}

/** Returns the number of elements of a tensor of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Returns the tensors of a group by name. What is quantised is widened to its own type as TensorFlow.js does.
 * @throws CollapsarError `malformed-checkpoint` where the files hold fewer bytes than the tensors take, or more.
 */
export function cutTensors({ paths, weights }: WeightsGroup, shards: readonly Uint8Array[]): [string, Tensor][] {
  const available = shards.reduce((sum, shard) => sum + shard.length, 0);
  const files = `"${paths[0] ?? "no file"}"${paths.length > 1 ? ` to "${paths.at(-1)}"` : ""}`;
  let at = 0;
  for (const { name, shape, quantization, dtype } of weights) {
    const bytes = sizeOf(shape) * BYTES[quantization?.dtype ?? dtype];
    at += bytes;
    if (at > available)
      throw malformed(`truncated: weight "${name}" ends at byte ${at} of ${files}, which has ${available}`);
  }
  if (at < available) throw malformed(`${available - at} bytes of ${files} follow the last weight`);
  const cut = cutter(shards);
  return weights.map((entry) => [entry.name, decode(entry, cut)]);
}

/** Returns a function that returns a copy of the next so many bytes: aligned, and of one piece. */
function cutter(shards: readonly Uint8Array[]): (length: number) => ArrayBuffer {
  let [shard, offset] = [0, 0];
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const piece = shards[shard]!.subarray(offset, offset + length - done);
      bytes.set(piece, done);
      done += piece.length;
      offset += piece.length;
      if (offset === shards[shard]!.length) [shard, offset] = [shard + 1, 0];
    }
    return bytes.buffer;
  };
}

function decode({ shape, dtype, quantization }: WeightEntry, cut: (length: number) => ArrayBuffer): Tensor {
  const bytes = cut(sizeOf(shape) * BYTES[quantization?.dtype ?? dtype]);
  if (quantization?.dtype === "float16") return { dtype: "F32", shape, data: float16ToFloat32(new Uint16Array(bytes)) };
  if (quantization) {
    const { scale, min } = quantization;
    const levels = quantization.dtype === "uint8" ? new Uint8Array(bytes) : new Uint16Array(bytes);
    if (dtype === "float32")
      return { dtype: "F32", shape, data: Float32Array.from(levels, (level) => level * scale + min) };
    return { dtype: "I32", shape, data: Int32Array.from(levels, (level) => Math.round(level * scale + min)) };
  }
  if (dtype === "float32") return { dtype: "F32", shape, data: new Float32Array(bytes) };
  if (dtype === "int32") return { dtype: "I32", shape, data: new Int32Array(bytes) };
  return { dtype: dtype === "bool" ? "BOOL" : "U8", shape, data: new Uint8Array(bytes) };
}
