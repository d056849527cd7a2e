import { describe, expect, it } from "vitest";
import { describeNetwork } from "../../src/networks/resnet.ts";
import type { NetworkSpec } from "../../src/networks/spec.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";
import { describeTraining } from "../../src/training/spectralNorm.ts";

const spec: NetworkSpec = {
  arch: "resnet18",
  stem: "mnist",
  mod: false,
  sn: false,
  coeff: 3,
  channels: 1,
  width: 8,
  classes: 10,
  l2Norm: false,
  mean: [0.5],
  std: [0.5],
};
const graph = describeNetwork(spec);

describe("the parameters a network starts from", () => {
  const parameters = initialiseParameters(graph, 1);
  const fanIns = graph.parameters
    .filter(({ role }) => role === "conv" || role.startsWith("linear"))
    .map(({ name, role, shape }) => ({
      name,
      fanIn: role === "linearBias" ? graph.dimensions : shape.slice(1).reduce((total, length) => total * length, 1),
    }));

  it("are those the graph names, in its shapes", () => {
    expect([...parameters.keys()]).toEqual(graph.parameters.map(({ name }) => name));
    for (const { name, shape } of graph.parameters)
      expect(parameters.get(name)!.length).toBe(shape.reduce((total, length) => total * length, 1));
  });

  it.each(fanIns)("are uniform within 1/√$fanIn in $name", ({ name, fanIn }) => {
    const values = parameters.get(name)!;
    const bound = 1 / Math.sqrt(fanIn);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    const mean = values.reduce((total, value) => total + value, 0) / values.length;
    const square = values.reduce((total, value) => total + value ** 2, 0) / values.length;
    // 4.5 standard errors: U(−b, b) has variance b²/3, its square has variance 4b⁴/45
    expect(Math.abs(mean)).toBeLessThan((4.5 * bound) / Math.sqrt(3 * values.length));
    expect(Math.abs(square - bound ** 2 / 3)).toBeLessThan(4.5 * bound ** 2 * Math.sqrt(4 / 45 / values.length));
  });

  it("make every batch norm the identity", () => {
    const expected = { scale: 1, runningVariance: 1, offset: 0, runningMean: 0 };
    for (const { name, role } of graph.parameters)
      if (role in expected)
        expect(new Set(parameters.get(name))).toEqual(new Set([expected[role as keyof typeof expected]]));
  });

  it("are directions where spectral normalisation looks for one, all of length 1", () => {
    const spectral = describeTraining({ ...spec, sn: true });
    const started = initialiseParameters(spectral, 1);
    const vectors = spectral.parameters.filter(({ role }) => role === "singularVector");
    expect(vectors).toHaveLength(40);
    for (const { name } of vectors) expect(Math.hypot(...started.get(name)!)).toBeCloseTo(1, 5);
    expect(started.get("conv1.weight_sigma")).toEqual(Float32Array.of(1));
    expect(started.get("conv1.weight_u")).not.toEqual(started.get("layer1.0.conv1.weight_u"));
  });

  it("are the same for the same seed only", () => {
    const stem = (seed: number) => initialiseParameters(graph, seed).get("conv1.weight")!.join();
    expect(stem(1)).toBe(parameters.get("conv1.weight")!.join());
    expect(stem(2)).not.toBe(stem(1));
  });
});
