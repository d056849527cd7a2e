import type { Tensor } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import type { Layer } from "../../engines/tfjs/operations.ts";
import type { TrainingOperation } from "./layers.ts";

/** What each layer of a network computed, by its name, in order of execution. */
export type Trace = ReadonlyMap<string, TrainingOperation>;

/** Runs the layers in order; `values` holds the input and the parameters by name. */
export function forward(layers: readonly Layer<TrainingOperation>[], values: ReadonlyMap<string, Tensor>): Trace {
  const trace = new Map<string, TrainingOperation>();
  for (const layer of layers) {
    const operands = layer.arguments.map((name) => trace.get(name)?.output ?? values.get(name)!);
    trace.set(layer.name, layer.apply(...operands));
  }
  return trace;
}

/**
 * Runs the chain rule backwards over the layers and returns the gradients with respect to their parameters, by name. It
 * starts from `seeds`, the gradients of the loss with respect to outputs of layers, or to parameters the loss reads itself.
 * What the loss does not depend on has none.
 */
export function backward(
  layers: readonly Layer<TrainingOperation>[],
  trace: Trace,
  seeds: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const gradients = new Map(seeds);
  for (const layer of layers.toReversed()) {
    const gradient = gradients.get(layer.name);
    if (!gradient) continue;
    const pulled = trace.get(layer.name)!.pullback(gradient);
    // freed at once, for a step's memory and because memory in cache is faster to use again than fresh pages
    tf.dispose(gradient);
    gradients.delete(layer.name);
    for (const [i, name] of layer.arguments.entries()) accumulate(gradients, name, pulled[i] ?? null);
  }
  return gradients;
}

function accumulate(gradients: Map<string, Tensor>, name: string, gradient: Tensor | null): void {
  if (!gradient) return;
  const before = gradients.get(name);
  gradients.set(name, before ? tf.add(before, gradient) : gradient);
  if (before) tf.dispose([before, gradient]);
}
