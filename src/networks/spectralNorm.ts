import { CollapsarError } from "../errors.ts";
import type { ParameterShape } from "./graph.ts";

/** A convolution under DDU's soft spectral normalisation, as its checkpoint stores it. */
export interface SpectralConv extends Pick<ParameterShape, "name" | "shape"> {
  readonly stride: number;
  readonly padding: number;
  /** Largest operator norm that is left alone. */
  readonly coeff: number;
  /** The stored weight before normalisation, out×in×k×k. */
  readonly weight: Float32Array;
  /** The power iteration's vectors: for a 1×1 kernel `out` and `in` numbers, else maps of out×S'×S' and in×S×S. */
  readonly u: Float32Array;
  readonly v: Float32Array;
}

/**
 * Returns the weight that the convolution works with in evaluation mode, `weight / f` (out×in×k×k), in float64 rounded
 * once. With `σ = ⟨u, conv(v, weight)⟩`, `f = max(1, σ/coeff) + 1e-5` for 3×3 kernels and `f = max(1, σ/coeff)` for 1×1
 * (DDU, arXiv 2102.11582, as its code has it). The stored `weight_sigma` is that of the last forward pass, so that it is stale
 * in a checkpoint saved after an optimiser step; σ is computed anew.
 * @throws CollapsarError `wrong-shape` where u and v are no maps that the convolution takes to each other;
 *   `non-finite-weight` where σ is not finite.
 */
export function effectiveWeight(conv: SpectralConv): Float32Array {
  const pointwise = conv.shape[2] === 1;
  const sigma = operatorNorm(conv, pointwise ? { from: 1, to: 1 } : mapSides(conv));
  if (!Number.isFinite(sigma))
    throw new CollapsarError("non-finite-weight", `the spectral norm of "${conv.name}" is ${sigma}`);
  const factor = Math.max(1, sigma / conv.coeff) + (pointwise ? 0 : 1e-5);
  return conv.weight.map((value) => value / factor);
}

/** Returns the sides S and S' of the maps v and u. */
function mapSides({ name, shape, stride, padding, u, v }: SpectralConv): { from: number; to: number } {
  const [outputs, inputs, kernel] = shape as [number, number, number];
  const from = Math.sqrt(v.length / inputs);
  const to = Math.floor((from + 2 * padding - kernel) / stride) + 1;
  if (!Number.isInteger(from) || from < 1 || u.length !== outputs * to * to)
    throw new CollapsarError(
      "wrong-shape",
      `"${name}_u" and "${name}_v" have ${u.length} and ${v.length} numbers, expected ${outputs}·S'² and ${inputs}·S² of a map of S×S`,
    );
  return { from, to };
}

/** `⟨u, conv(v, weight)⟩`: per kernel entry a sum over the map, so that the innermost loop runs along rows. */
function operatorNorm({ shape, stride, padding, weight, u, v }: SpectralConv, sides: { from: number; to: number }) {
  const [outputs, inputs, kernel] = shape as [number, number, number];
  const { from, to } = sides;
  const pad = kernel === 1 ? 0 : padding;
  const response = new Float64Array(to * to);
  let sigma = 0;
  for (let output = 0; output < outputs; output++) {
    response.fill(0);
    let entry = output * inputs * kernel * kernel;
    for (let input = 0; input < inputs; input++)
      for (let ky = 0; ky < kernel; ky++)
        for (let kx = 0; kx < kernel; kx++) {
          const factor = weight[entry++]!;
          const first = Math.max(0, Math.ceil((pad - kx) / stride));
          const last = Math.min(to, Math.floor((from - 1 + pad - kx) / stride) + 1);
          for (let y = 0; y < to; y++) {
            const row = y * stride + ky - pad;
            if (row < 0 || row >= from) continue;
            const at = (input * from + row) * from + kx - pad;
            for (let x = first; x < last; x++) response[y * to + x]! += factor * v[at + x * stride]!;
          }
        }
    for (let i = 0; i < response.length; i++) sigma += u[output * response.length + i]! * response[i]!;
  }
  return sigma;
}
