import { describe, expect, it } from "vitest";
import type { Checkpoint, Tensor } from "../../src/checkpoints/checkpoint.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { readSpec, specMetadata } from "../../src/networks/spec.ts";
import { golden } from "../golden.ts";

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
  it.each([
    ["resnet18-cifar", "cifar", 3],
    ["resnet18-mnist", "mnist", 1],
  ])("is inferred from the tensors of %s where metadata are absent", (fixture, variant, channels) => {
    const { spec, network } = networkOf({ tensors: golden(fixture).tensors, metadata: {} });
    expect(spec).toEqual({ arch: "resnet18", variant, width: 8, classes: 10, l2Norm: false, mean: null, std: null });
    expect(network.graph).toMatchObject({ channels, dimensions: 64, classes: 10, features: "pool", logits: "fc" });
  });

  it("uses every tensor of the checkpoint but the batch counters", () => {
    const { tensors } = golden("resnet18-cifar");
    const used = [...networkOf(golden("resnet18-cifar")).network.parameters.keys()];
    expect(used.toSorted()).toEqual(
      [...tensors.keys()].filter((name) => !name.endsWith("num_batches_tracked")).toSorted(),
    );
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
      /no tensor "layer2.0.bn1.bias" of 16/,
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
      () => networkOf(altered({ "conv1.weight": floats([8, 3, 7, 7]) })),
      "wrong-shape",
      /"conv1.weight".*7×7/,
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
    ["a variant we do not have", () => readSpec({ variant: "cifar+mod" }), "invalid-metadata", /variant="cifar\+mod"/],
    ["a zero std", () => readSpec({ std: "0" }), "invalid-metadata", /std="0"/],
    ["a mean that is no number", () => readSpec({ mean: "a,b" }), "invalid-metadata", /mean="a,b"/],
  ];

  it.each(cases)("is refused, naming the offender: %s", (_, attempt, code, message) => {
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});
