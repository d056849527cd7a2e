import { INDEX, T } from "../../../engines/tfjs/graphWriter.ts";
import { type Graph, INPUT, type ParameterShape } from "../../../networks/graph.ts";
import { backward, forward, type Sums, type Trace } from "../differentiate.ts";
import { learnedParameters, nameOf, type TrainingStart } from "../network.ts";
import { graphLayersOf } from "./operations.ts";
import { StepWriter } from "./stepWriter.ts";

/** What goes into the first half of a step and what comes out of it; `KEPT` where all is kept that the second half needs. */
export const MAPS = "maps";
export const OUTPUTS = ["out.features", "out.logits", "out.weight", "out.bias"] as const;
export const KEPT = "kept";
/** What goes into the second half: the gradients of the loss, and the learning rate. */
export const GRADIENTS = {
  features: "gradient.features",
  logits: "gradient.logits",
  weight: "gradient.weight",
} as const;
export const LEARNING_RATE = "learningRate";
/** Come out where all parameters have taken their step, but for the classifier's bias, and where that has. */
export const DESCENDED = "descended";
export const BIAS_DESCENDED = "descended.bias";
/** Comes out where every parameter and velocity is set. */
export const READY = "ready";

/** What a parameter or its velocity is fed as and comes out as, in PyTorch's layout. */
export const fedAs = (name: string) => `${name}.fed`;
export const readAs = (name: string) => `${name}.read`;
export const velocityOf = (name: string) => `${name}.velocity`;

/** Returns the training step of a network as `saved_model.pb`; see `StepWriter`. Maps are N×H×W×C with N free. */
export function writeStep({
  graph,
  momentum,
  weightDecay,
}: Omit<TrainingStart, "parameters" | "velocity">): Uint8Array {
  const writer = new StepWriter();
  const parameters = writeParameters(writer, graph);
  const layers = graph.nodes.flatMap((node) => graphLayersOf(writer, node));
  const values = new Map(parameters.values).set(INPUT, writeMaps(writer, graph));
  const trace = forward(layers, values);
  writeOutputs(writer, graph, trace, values);
  const gradients = backward(layers, trace, writeSeeds(writer, graph), sumsOf(writer));
  const descend = descentOf(writer, parameters, gradients, { momentum, weightDecay });
  const bias = nameOf(graph, "linearBias");
  const descended = learnedParameters(graph).flatMap(({ name }) => (name === bias ? [] : [descend(name)]));
  writer.done(BIAS_DESCENDED, [descend(bias)]);
  const followed = follow(writer, parameters, trace);
  writer.done(KEPT, writer.keeping);
  writer.done(DESCENDED, [...descended, ...followed, ...writer.freeing]);
  return writer.encode();
}

interface Parameters {
  /** Handles of variables and nodes that read them, by parameter. */
  readonly variables: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
}

function writeParameters(writer: StepWriter, graph: Graph): Parameters {
  const variables = new Map<string, string>();
  const values = new Map<string, string>();
  const setters: string[] = [];
  const orders = {
    in: writer.integers("order.in", [2, 3, 1, 0], 4),
    out: writer.integers("order.out", [3, 2, 0, 1], 4),
  };
  const write = (name: string, { shape, role }: ParameterShape) => {
    const isFilter = role === "conv";
    const dims = isFilter ? [shape[2]!, shape[3]!, shape[1]!, shape[0]!] : shape;
    const turned = (to: string, value: string, order: string) =>
      isFilter
        ? writer.push(to, "Transpose", [value, order], { T, Tperm: INDEX })
        : writer.push(to, "Identity", [value]);
    const variable = writer.variable(name, dims);
    const fed = writer.push(fedAs(name), "Placeholder", [], { dtype: T, shape: { shape } });
    setters.push(
      writer.push(`${name}.set`, "AssignVariableOp", [variable, turned(`${name}.in`, fed, orders.in)], { dtype: T }),
    );
    const value = writer.parameter(`${name}.value`, variable);
    turned(readAs(name), value, orders.out);
    variables.set(name, variable);
    values.set(name, value);
  };
  for (const parameter of graph.parameters) write(parameter.name, parameter);
  for (const parameter of learnedParameters(graph)) write(velocityOf(parameter.name), parameter);
  writer.done(READY, setters);
  return { variables, values };
}

function writeMaps(writer: StepWriter, { size, channels }: Graph): string {
  return writer.push(MAPS, "Placeholder", [], {
    dtype: T,
    shape: { shape: [-1, size!.height, size!.width, channels] },
  });
}

function writeOutputs(writer: StepWriter, graph: Graph, trace: Trace<string>, values: ReadonlyMap<string, string>) {
  const outputs = [
    trace.get(graph.features)!.output,
    trace.get(graph.logits)!.output,
    values.get(nameOf(graph, "linearWeight"))!,
    values.get(nameOf(graph, "linearBias"))!,
  ];
  for (const [i, output] of outputs.entries()) writer.push(OUTPUTS[i]!, "Identity", [output]);
}

function writeSeeds(writer: StepWriter, graph: Graph): Map<string, string> {
  const { dimensions, classes } = graph;
  const fed = (name: string, columns: number) =>
    writer.push(name, "Placeholder", [], { dtype: T, shape: { shape: [-1, columns] } });
  return new Map([
    [graph.features, fed(GRADIENTS.features, dimensions)],
    [graph.logits, fed(GRADIENTS.logits, classes)],
    [nameOf(graph, "linearWeight"), fed(GRADIENTS.weight, dimensions)],
  ]);
}

function sumsOf(writer: StepWriter): Sums<string> {
  return { add: (a, b) => writer.after("AddV2", [a, b]), free: () => {} };
}

/** Returns what writes the step of a parameter. */
function descentOf(
  writer: StepWriter,
  { variables, values }: Parameters,
  gradients: ReadonlyMap<string, string>,
  { momentum, weightDecay }: { momentum: number; weightDecay: number },
) {
  const rate = writer.push(LEARNING_RATE, "Placeholder", [], { dtype: T, shape: { shape: [] } });
  const [mu, lambda] = [writer.float("momentum", momentum), writer.float("weightDecay", weightDecay)];
  return (name: string) => {
    const decay = writer.after("Mul", [values.get(name)!, lambda]);
    const gradient = writer.after("AddV2", [gradients.get(name)!, decay]);
    return writer.after(
      "ResourceApplyMomentum",
      [variables.get(name)!, variables.get(velocityOf(name))!, rate, gradient, mu],
      { T },
    );
  };
}

/** Gives the buffers of the network the values that the first half has for them. */
function follow(writer: StepWriter, { variables }: Parameters, trace: Trace<string>): string[] {
  const buffers = [...trace.values()].flatMap((operation) => Object.entries(operation.buffers ?? {}));
  return buffers.map(([name, value]) => writer.assign(variables.get(name)!, writer.kept(value)));
}
