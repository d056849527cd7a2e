import type { Tensor } from "../../checkpoints/checkpoint.ts";
import { CollapsarError } from "../../errors.ts";

/** Names of scopes before a layer's own. */
const MAX_SCOPES = 16;

interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The weights of a layers model, by layer and role (`kernel`, `bias`, `gamma`, …). */
export class LayerWeights {
  readonly #layers = new Map<string, Map<string, NamedTensor>>();

  /**
   * The layer of `model/conv2d_1/kernel:0` is the longest end of `model/conv2d_1` that names one. What belongs to no layer
   * (an optimizer's state) is left alone.
   */
  constructor(tensors: ReadonlyMap<string, Tensor>, layers: readonly string[]) {
    const known = new Set(layers);
    for (const [name, tensor] of tensors) {
      const [, path = "", role = ""] = /^(.*)\/([^/]*?)(?::0)?$/s.exec(name) ?? [];
      let layer = path;
      for (let scopes = 0; scopes < MAX_SCOPES && !known.has(layer); scopes++)
        layer = layer.slice(layer.indexOf("/") + 1);
      if (known.has(layer)) this.#assign(layer, role, { name, tensor });
    }
  }

  #assign(layer: string, role: string, named: NamedTensor): void {
    const roles = this.#layers.get(layer) ?? new Map<string, NamedTensor>();
    const other = roles.get(role);
    if (other) throw wrongShape(`tensors "${other.name}" and "${named.name}" are both the ${role} of layer "${layer}"`);
    this.#layers.set(layer, roles.set(role, named));
  }

  /**
   * Returns a layer's numbers, which are then taken.
   * @throws CollapsarError `wrong-shape` where they are missing, of another shape or no float32; `non-finite-weight`.
   */
  take(layer: string, role: string, shape: readonly number[]): Float32Array {
    const found = this.#layers.get(layer)?.get(role);
    if (!found) throw wrongShape(`no tensor "${layer}/${role}" of ${shape.join("×")}`);
    this.#layers.get(layer)!.delete(role);
    const { name, tensor } = found;
    if (tensor.shape.length !== shape.length || shape.some((length, axis) => length !== tensor.shape[axis]))
      throw wrongShape(`tensor "${name}" is ${tensor.shape.join("×") || "a scalar"}, expected ${shape.join("×")}`);
    if (!(tensor.data instanceof Float32Array))
      throw wrongShape(`tensor "${name}" holds ${tensor.dtype}, expected float32`);
    const lowest = role === "moving_variance" ? 0 : Number.NEGATIVE_INFINITY;
    const offender = tensor.data.findIndex((value) => !Number.isFinite(value) || value < lowest);
    if (offender < 0) return tensor.data;
    const message = `tensor "${name}" holds ${tensor.data[offender]} at element ${offender}, expected a finite ${lowest === 0 ? "variance" : "number"}`;
    throw new CollapsarError("non-finite-weight", message);
  }

  /** Checks that nothing of the layer is left: what it has beyond what we compute would change what comes out of it. */
  requireAllTaken(layer: string): void {
    const left = this.#layers.get(layer)?.values().next().value;
    if (left) throw wrongShape(`unexpected tensor "${left.name}": layer "${layer}" is not configured to have it`);
  }
}

function wrongShape(what: string): CollapsarError {
  return new CollapsarError("wrong-shape", what);
}

/** Returns a Keras kernel, k×k×in×out, in the order out×in×k×k. */
export function convWeight(kernel: Float32Array, k: number, channels: number, filters: number): Float32Array {
  const weight = new Float32Array(kernel.length);
  const area = k * k;
  for (let at = 0; at < area; at++)
    for (let i = 0; i < channels; i++)
      for (let o = 0; o < filters; o++)
        weight[(o * channels + i) * area + at] = kernel[(at * channels + i) * filters + o]!;
  return weight;
}

/** Returns a Keras kernel, in×out, in the order out×in. */
export function linearWeight(kernel: Float32Array, length: number, units: number): Float32Array {
  return convWeight(kernel, 1, length, units);
}
