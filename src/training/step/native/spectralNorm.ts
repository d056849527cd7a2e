import { convAttributes, INDEX, T } from "../../../engines/tfjs/graphWriter.ts";
import type { Node } from "../../../networks/graph.ts";
import { SMALLEST_NORM } from "../../spectralNorm.ts";
import type { TrainingOperation } from "../differentiate.ts";
import type { StepWriter } from "./stepWriter.ts";

/**
 * Writes the filter a convolution works with, `W/f`, of the stored W and the vectors u and v after one more step of the power
 * iteration; see `withSpectralNorm`. Its slope along W, `⟨g, W⟩/f²/coeff` times that of σ, is zero where σ is below coeff.
 */
export function spectralNorm(
  writer: StepWriter,
  { weight: name, stride, padding, spectralNorm: norm }: Extract<Node, { op: "conv" }>,
  values: readonly string[],
): TrainingOperation<string> {
  const [weight, u] = values as [string, string];
  const {
    coeff,
    added,
    v: [inputs, side],
    u: [outputs, to],
  } = norm!;
  const attributes = convAttributes(stride, padding);
  const push = (part: string, op: string, input: readonly string[], of?: Parameters<StepWriter["push"]>[3]) =>
    writer.push(`${name}.${part}`, op, input, of);
  const shape = (part: string, ...lengths: number[]) => writer.integers(`${name}.${part}`, lengths, lengths.length);
  const number = (part: string, value: number) => writer.float(`${name}.${part}`, value);
  const all = shape("all", 0, 1, 2, 3);
  const sum = (part: string, value: string) => push(part, "Sum", [value, all], { T, Tidx: INDEX });
  const reshaped = (part: string, value: string, ...lengths: number[]) =>
    push(part, "Reshape", [value, shape(`${part}.shape`, ...lengths)], { T, Tshape: INDEX });
  const turned = (part: string, value: string, ...order: number[]) =>
    push(part, "Transpose", [value, shape(`${part}.order`, ...order)], { T, Tperm: INDEX });
  const unit = (part: string, map: string) => {
    const length = push(`${part}.length`, "Sqrt", [sum(`${part}.sum`, push(`${part}.squares`, "Square", [map]))]);
    return push(part, "RealDiv", [
      map,
      push(`${part}.divisor`, "Maximum", [length, number(`${part}.least`, SMALLEST_NORM)]),
    ]);
  };
  const flat = (part: string, map: string) => reshaped(part, turned(`${part}.turned`, map, 0, 3, 1, 2), -1);

  const before = turned("before", reshaped("map", u, 1, outputs, to, to), 0, 2, 3, 1);
  const adjoint = push(
    "adjoint",
    "Conv2DBackpropInput",
    [shape("sizes", 1, side, side, inputs), weight, before],
    attributes,
  );
  const v = unit("v", adjoint);
  const response = push("response", "Conv2D", [v, weight], attributes);
  const next = unit("u", response);
  const sigma = sum("sigma", push("products", "Mul", [next, response]));
  const norms = push("norms", "RealDiv", [sigma, number("coeff", coeff)]);
  const one = number("one", 1);
  const factor = push("factor", "AddV2", [push("clamped", "Maximum", [norms, one]), number("added", added)]);
  const buffers = { u: flat("u.flat", next), v: flat("v.flat", v), sigma: reshaped("sigma.flat", sigma, 1) };
  return {
    output: writer.push(name, "RealDiv", [weight, factor]),
    buffers: Object.fromEntries(Object.entries(buffers).map(([suffix, value]) => [`${name}_${suffix}`, value])),
    pullback(gradient) {
      const direct = writer.after("RealDiv", [gradient, writer.kept(factor)]);
      const products = writer.after("Sum", [writer.after("Mul", [gradient, weight]), all], { T, Tidx: INDEX });
      const isOver = writer.after("GreaterEqual", [writer.kept(norms), one]);
      const over = writer.after("Cast", [isOver], { SrcT: { type: "bool" }, DstT: T });
      const divisor = writer.after("Mul", [writer.after("Square", [writer.kept(factor)]), number("slope", -coeff)]);
      const slope = writer.after("Mul", [over, writer.after("RealDiv", [products, divisor])]);
      const sizes = writer.after("Shape", [weight], { T, out_type: INDEX });
      const inputs = [writer.kept(v), sizes, writer.kept(next)];
      const direction = writer.after("Conv2DBackpropFilter", inputs, attributes);
      return [writer.after("AddV2", [direct, writer.after("Mul", [direction, slope])])];
    },
  };
}
