import { GraphWriter, INDEX, T } from "../../../engines/tfjs/graphWriter.ts";

/**
 * The graph of a training step, which runs in two halves: the loss is computed in between. What the second half needs of
 * the first stays in variables; TensorFlow copies none of it.
 */
export class StepWriter extends GraphWriter {
  readonly #kept = new Map<string, string>();
  /** What keeps values, in the first half, and what lets go of them, in the second. */
  readonly keeping: string[] = [];
  readonly freeing: string[] = [];
  #count = 0;

  /** Adds a node of the second half, after the loss, and returns its name. */
  after(op: string, input: readonly string[], attributes?: Parameters<GraphWriter["push"]>[3]): string {
    return this.push(`after${this.#count++}`, op, input, attributes);
  }

  /** Adds what reads a parameter, which both halves do. */
  parameter(name: string, variable: string): string {
    const value = this.read(name, variable);
    this.#kept.set(value, value);
    return value;
  }

  /** Returns the name by which the second half knows a value of the first. */
  kept(value: string): string {
    const known = this.#kept.get(value);
    if (known) return known;
    const name = `kept${this.#kept.size}`;
    const variable = this.variable(`${name}.variable`, null);
    this.keeping.push(this.push(`${name}.set`, "AssignVariableOp", [variable, value], { dtype: T }));
    const read = this.read(name, variable);
    // a value without a variable is freed after its last reader
    this.freeing.push(this.push(`${name}.free`, "DestroyResourceOp", [variable, `^${read}`], {}));
    this.#kept.set(value, read);
    return read;
  }

  /** Adds what gives a variable a value, in the second half. */
  assign(variable: string, value: string): string {
    return this.after("AssignVariableOp", [variable, value], { dtype: T });
  }

  /** Adds the shape of a value of the first half, for the second. */
  shapeOf(value: string): string {
    return this.after("Shape", [this.kept(value)], { T, out_type: INDEX });
  }
}
