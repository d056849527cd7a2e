import type { Graph } from "./graph.ts";

/** A graph with its trained numbers: float32, by PyTorch's tensor names, shapes as `graph.parameters` says. */
export interface Network {
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<string, Float32Array>;
}
