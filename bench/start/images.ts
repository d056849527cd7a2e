import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";

/** Returns a dataset of `count` images of 28×28×1 in ten classes, as a safetensors file. */
export function writeImages(count: number): Uint8Array {
  const pixels = Uint8Array.from({ length: count * 28 * 28 }, (_, i) => (i * 2654435761) >>> 24);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  return writeSafetensors(
    new Map([
      ["images", { dtype: "U8", shape: [count, 28, 28, 1], data: pixels }],
      ["labels", { dtype: "I32", shape: [count], data: labels }],
    ]),
    {},
  );
}
