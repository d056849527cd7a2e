import type { Layer, Operation } from "../../engines/tfjs/operations.ts";

/** An operation of a training step; it may also say what buffers of the network become, by name. */
export interface TrainingOperation<Value> extends Operation<Value> {
  readonly buffers?: Readonly<Record<string, Value>>;
}

export type TrainingLayer<Value> = Layer<TrainingOperation<Value>, Value>;

/** What each layer of a network computed, by its name, in order of execution. */
export type Trace<Value> = ReadonlyMap<string, TrainingOperation<Value>>;

/** How gradients are added up; both take what they are given, which nobody uses after. */
export interface Sums<Value> {
  add(a: Value, b: Value): Value;
  free(value: Value): void;
}

/** Runs the layers in order; `values` holds the input and the parameters by name. */
export function forward<Value>(
  layers: readonly TrainingLayer<Value>[],
  values: ReadonlyMap<string, Value>,
): Trace<Value> {
  const trace = new Map<string, TrainingOperation<Value>>();
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
export function backward<Value>(
  layers: readonly TrainingLayer<Value>[],
  trace: Trace<Value>,
  seeds: ReadonlyMap<string, Value>,
  { add, free }: Sums<Value>,
): ReadonlyMap<string, Value> {
  const gradients = new Map(seeds);
  for (const layer of layers.toReversed()) {
    const gradient = gradients.get(layer.name);
    if (gradient === undefined) continue;
    const pulled = trace.get(layer.name)!.pullback(gradient);
    // freed at once, for a step's memory and because memory in cache is faster to use again than fresh pages
    free(gradient);
    gradients.delete(layer.name);
    for (const [i, name] of layer.arguments.entries()) {
      const [before, now] = [gradients.get(name), pulled[i] ?? null];
      if (now !== null) gradients.set(name, before === undefined ? now : add(before, now));
    }
  }
  return gradients;
}
