import { type Attribute, encodeSavedModel, type TensorflowNode } from "./savedModel.ts";

/** All arithmetic is of float32. */
export const T = { type: "float" } as const;
export const INDEX = { type: "int32" } as const;

export type Attributes = Readonly<Record<string, Attribute>>;

/** A TensorFlow graph being written. */
export class GraphWriter {
  readonly #nodes: TensorflowNode[] = [];

  /** Adds a node and returns its name. */
  push(name: string, op: string, input: readonly string[], attributes: Attributes = { T }): string {
    this.#nodes.push({ name, op, input, attributes });
    return name;
  }

  /** Adds a constant of integers with the shape `dims`. */
  integers(name: string, values: readonly number[], ...dims: number[]): string {
    return this.push(name, "Const", [], { dtype: INDEX, value: { values: Int32Array.from(values), dims } });
  }

  /** Adds a constant of one float. */
  float(name: string, value: number): string {
    return this.push(name, "Const", [], { dtype: T, value: { values: Float32Array.of(value), dims: [] } });
  }

  /** Adds a variable of floats, of any shape where `dims` is null, and returns its handle. */
  variable(name: string, dims: readonly number[] | null): string {
    return this.push(name, "VarHandleOp", [], { dtype: T, shape: { shape: dims }, shared_name: { text: name } });
  }

  /** Adds what reads a variable, and returns its name. */
  read(name: string, variable: string): string {
    return this.push(name, "ReadVariableOp", [variable], { dtype: T });
  }

  /** Adds a number that can be asked for where all of `nodes` are done ("^": what must be done before). */
  done(name: string, nodes: readonly string[]): string {
    const attributes = { dtype: INDEX, value: { values: Int32Array.of(1), dims: [] } };
    return this.push(
      name,
      "Const",
      nodes.map((node) => `^${node}`),
      attributes,
    );
  }

  /** Returns `saved_model.pb` of the graph. */
  encode(): Uint8Array {
    return encodeSavedModel(this.#nodes);
  }
}

/** Zeros around a map: so many on all sides, or none (`VALID`), or as many as keep its size (`SAME`). */
export type Padding = number | "VALID" | "SAME";

/** Returns the attributes of a convolution over N×H×W×C maps. */
export function convAttributes(stride: number, padding: Padding): Attributes {
  return {
    ...{ T, strides: { integers: [1, stride, stride, 1] }, dilations: { integers: [1, 1, 1, 1] } },
    ...paddingAttributes(padding),
  };
}

/** Returns the attributes of a pooling over N×H×W×C maps. */
export function windowAttributes({ kernel, stride }: { kernel: number; stride: number }, padding: Padding): Attributes {
  const ksize = { integers: [1, kernel, kernel, 1] };
  return { T, ksize, strides: { integers: [1, stride, stride, 1] }, ...paddingAttributes(padding) };
}

function paddingAttributes(padding: Padding): Attributes {
  if (padding === 0 || typeof padding === "string") return { padding: { text: padding || "VALID" } };
  const sides = [0, 0, padding, padding, padding, padding, 0, 0];
  return { padding: { text: "EXPLICIT" }, explicit_paddings: { integers: sides } };
}
