import { describe, expect, it } from "vitest";
import type { Checkpoint, Tensor } from "../../src/checkpoints/checkpoint.ts";
import { resnetFromTensors } from "../../src/networks/fromTensors.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { readSpec, specMetadata } from "../../src/networks/spec.ts";
import { NETWORKS } from "../engines/engines.ts";
import { golden } from "../golden.ts";

/** The network of a `state_dict`; overrides win over its metadata. */
const networkOf = ({ tensors, metadata }: Checkpoint, overrides: Record<string, string> = {}) =>
  resnetFromTensors(tensors, { ...metadata, ...overrides });

/** The golden checkpoint with some tensors replaced (null: removed) and without its metadata. */
function altered(changes: Record<string, Tensor | null>): Checkpoint {
  const tensors = new Map(golden("resnet18-mnist").tensors);
  for (const [name, tensor] of Object.entries(changes)) tensor ? tensors.set(name, tensor) : tensors.delete(name);
  return { tensors, metadata: {} };
}

const floats = (shape: number[], value = 0): Tensor => ({
  dtype: "F32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

describe("the network of a checkpoint", () => {
  it.each(NETWORKS)("is inferred from the tensors of %s where metadata are absent", (fixture) => {
    const { tensors, metadata } = golden(fixture);
    const { spec, network } = networkOf({ tensors, metadata: {} });
    const { coeff, ...shown } = specMetadata(spec);
    expect(shown).toEqual({ ...metadata, coeff: undefined, l2_norm: "false" });
    const dimensions = spec.arch === "resnet50" ? 256 : 64;
    expect(network.graph).toMatchObject({ channels: spec.channels, dimensions, classes: 10, features: "pool" });
  });

  it.each([
    ["resnet34", "basic", [3, 4, 6, 3], 64],
    ["resnet101", "bottleneck", [3, 4, 23, 3], 256],
    ["resnet152", "bottleneck", [3, 8, 36, 3], 256],
  ] as const)("is inferred for %s: %s blocks, as many as its stages have", (arch, block, depths, dimensions) => {
    const plain = { stem: "cifar", mod: false, sn: false, coeff: 3, channels: 3 } as const;
    const graph = describeNetwork({ arch, ...plain, width: 8, classes: 10, l2Norm: false, mean: null, std: null });
    const tensors = new Map(graph.parameters.map(({ name, shape }) => [name, floats([...shape])]));
    const { spec, network } = networkOf({ tensors, metadata: {} });
    expect(spec.arch).toBe(arch);
    expect(network.graph.dimensions).toBe(dimensions);
    expect(network.graph.nodes.filter(({ op }) => op === "add")).toHaveLength(
      depths.reduce<number>((a, b) => a + b, 0),
    );
    expect(tensors.has("layer1.0.conv3.weight")).toBe(block === "bottleneck");
  });

  it("uses every tensor of the checkpoint but the batch counters", () => {
    const { tensors } = golden("resnet18-cifar");
    const used = [...networkOf(golden("resnet18-cifar")).network.parameters.keys()];
    expect(used.toSorted()).toEqual(
      [...tensors.keys()].filter((name) => !name.endsWith("num_batches_tracked")).toSorted(),
    );
  });

  it("has the effective weights under spectral normalisation, whatever sigma is stored", () => {
    const { tensors, metadata } = golden("resnet18-mod-sn");
    const stale = new Map(
      [...tensors].filter(([name]) => name.endsWith("_sigma")).map(([name]) => [name, floats([1], 9)]),
    );
    const effective = networkOf({ tensors: new Map([...tensors, ...stale]), metadata }).network.parameters;
    const stored = tensors.get("layer1.0.conv1.weight_orig")!.data as Float32Array;
    const ratio = effective.get("layer1.0.conv1.weight")![0]! / stored[0]!;
    expect(ratio).toBeLessThan(1);
    expect(effective.get("layer1.0.conv1.weight")).toEqual(
      networkOf({ tensors, metadata }).network.parameters.get("layer1.0.conv1.weight"),
    );
    // a coefficient no operator norm reaches leaves the weights as they are, but for the 1e-5 of DDU's code
    const loose = networkOf({ tensors, metadata }, { coeff: "1000" }).network.parameters;
    expect(loose.get("layer1.0.conv1.weight")![0]).toBe(Math.fround(stored[0]! / (1 + 1e-5)));
  });

  it("strips the prefix of DataParallel", () => {
    const { tensors, metadata } = golden("resnet18-mnist");
    const prefixed = new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor]));
    expect(networkOf({ tensors: prefixed, metadata }).network.parameters.has("fc.weight")).toBe(true);
  });

  it("lets what is given with the request win over the metadata", () => {
    const checkpoint = { ...golden("resnet18-mnist"), metadata: { l2_norm: "false", mean: "0.5", std: "0.5" } };
    const { spec, network } = networkOf(checkpoint, { l2_norm: "true", mean: "0.1307" });
    expect(spec).toMatchObject({ l2Norm: true, mean: [0.1307], std: [0.5] });
    expect(network.graph.features).toBe("l2");
  });

  it("is described by its own metadata again", () => {
    const { spec } = networkOf(golden("resnet18-mnist"), { mean: "0.1307", std: "0.3081", l2_norm: "true" });
    expect(networkOf({ tensors: golden("resnet18-mnist").tensors, metadata: specMetadata(spec) }).spec).toEqual(spec);
  });
});

describe("a checkpoint of no network we know", () => {
  const cases: [string, () => unknown, string, RegExp][] = [
    [
      "a missing tensor",
      () => networkOf(altered({ "layer2.0.bn1.bias": null })),
      "wrong-shape",
      /no tensor "layer2.0.bn1.bias" of shape 16/,
    ],
    ["no classifier", () => networkOf(altered({ "fc.weight": null })), "wrong-shape", /no tensor "fc.weight"/],
    [
      "a wrong shape",
      () => networkOf(altered({ "layer1.0.conv1.weight": floats([8, 8, 5, 5]) })),
      "wrong-shape",
      /"layer1.0.conv1.weight" is 8×8×5×5, expected 8×8×3×3/,
    ],
    [
      "another stem",
      () => networkOf(altered({ "conv1.weight": floats([8, 3, 5, 5]) })),
      "wrong-shape",
      /"conv1.weight".*5×5/,
    ],
    [
      "a tensor too many",
      () => networkOf(altered({ "layer5.0.conv1.weight": floats([1]) })),
      "wrong-shape",
      /unexpected tensor "layer5.0.conv1.weight"/,
    ],
    [
      "integers as weights",
      () => networkOf(altered({ "fc.bias": { dtype: "I32", shape: [10], data: new Int32Array(10) } })),
      "wrong-shape",
      /"fc.bias" holds I32/,
    ],
    [
      "a NaN weight",
      () => networkOf(altered({ "fc.bias": floats([10], Number.NaN) })),
      "non-finite-weight",
      /"fc.bias" holds NaN at element 0/,
    ],
    [
      "a negative variance",
      () => networkOf(altered({ "bn1.running_var": floats([8], -1) })),
      "non-finite-weight",
      /"bn1.running_var"/,
    ],
    [
      "a stated width that is not the tensors'",
      () => networkOf(golden("resnet18-mnist"), { width: "16" }),
      "wrong-shape",
      /"conv1.weight" is 8×1×3×3, expected 16×1×3×3/,
    ],
    [
      "too many means",
      () => networkOf(golden("resnet18-mnist"), { mean: "1,2,3" }),
      "invalid-metadata",
      /mean has 3 numbers/,
    ],
    ["an architecture we do not have", () => readSpec({ arch: "vgg16" }), "invalid-metadata", /arch="vgg16"/],
    ["a variant we do not have", () => readSpec({ variant: "cifar+se" }), "invalid-metadata", /variant="cifar\+se"/],
    [
      "mod at any size",
      () => readSpec({ variant: "torchvision+mod" }),
      "invalid-metadata",
      /mod is for images of a fixed/,
    ],
    ["a coefficient of 0", () => readSpec({ coeff: "0" }), "invalid-metadata", /coeff="0": expected a positive/],
    [
      "as many blocks as no architecture has",
      () => networkOf(altered({ "layer3.2.conv1.weight": floats([1]) })),
      "wrong-shape",
      /2-2-3-2 basic blocks/,
    ],
    [
      "vectors of spectral normalisation that are no maps",
      () => {
        const { tensors, metadata } = golden("resnet18-mod-sn");
        return networkOf({ tensors: new Map(tensors).set("conv1.weight_u", floats([7])), metadata });
      },
      "wrong-shape",
      /"conv1.weight_u" and "conv1.weight_v" have 7 and 3072 numbers/,
    ],
    ["a zero std", () => readSpec({ std: "0" }), "invalid-metadata", /std="0"/],
    ["a mean that is no number", () => readSpec({ mean: "a,b" }), "invalid-metadata", /mean="a,b"/],
  ];

  it.each(cases)("is refused, naming the offender: %s", (_, attempt, code, message) => {
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});
