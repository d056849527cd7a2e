import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { openEngine } from "../../src/engines/open.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { networkFromLayers } from "../../src/networks/fromLayers.ts";
import { signatureOf } from "../../src/networks/network.ts";
import { relativeDifference } from "../golden.ts";
import { computed, LAYERS_MODELS, type LayersModelName, layersModel } from "../layersModels.ts";

describe.each(["onnxruntime", "wasm"] as const)("on the engine %s, a layers model", (engineName) => {
  it.each(LAYERS_MODELS)("gives the features and logits that TensorFlow.js or Keras gives: %s", async (name) => {
    const { images, count, height, width, features, logits } = computed(name);
    const engine = await openEngine({ engine: engineName });
    const model = await engine.load(networkOf(layersModel(name)).network, { kind: "normalised", height, width });
    const outputs = await model.run(images, count);
    await model.dispose();
    expect(relativeDifference(outputs.features, features)).toBeLessThan(1e-5);
    expect(relativeDifference(outputs.logits, logits)).toBeLessThan(1e-5);
  });

  it("divides its features by their norm where l2_norm says so", async () => {
    const { images, count, height, width, features } = computed("residual");
    const { network } = networkOf(layersModel("residual"), { l2_norm: "true" });
    const model = await (await openEngine({ engine: engineName })).load(network, { kind: "normalised", height, width });
    const outputs = await model.run(images, count);
    await model.dispose();
    const dimensions = features.length / count;
    const unit = features.map((value, i) => {
      const from = i - (i % dimensions);
      return value / Math.hypot(...features.subarray(from, from + dimensions));
    });
    expect(relativeDifference(outputs.features, unit)).toBeLessThan(1e-5);
  });
});

describe("the network of a layers model", () => {
  it.each([
    ["sequential", { channels: 1, size: { height: 28, width: 28 }, dimensions: 12, classes: 10 }],
    ["residual", { channels: 3, size: null, dimensions: 9, classes: 4 }],
    ["quantised", { channels: 2, size: { height: 11, width: 9 }, dimensions: 14, classes: 5 }],
    ["keras3", { channels: 3, size: { height: 14, width: 14 }, dimensions: 11, classes: 6 }],
  ] as [LayersModelName, object][])("has the signature of %s", (name, signature) => {
    expect(signatureOf(networkOf(layersModel(name)).network)).toMatchObject(signature);
  });

  it("normalises as its metadata say, and as the request says before that", () => {
    const own = signatureOf(networkOf(layersModel("sequential")).network);
    const asked = signatureOf(networkOf(layersModel("sequential"), { mean: "0.5" }).network);
    expect(own.normalisation).toEqual({ mean: [0.1307], std: [0.3081] });
    expect(asked.normalisation).toEqual({ mean: [0.5], std: [0.3081] });
    expect(signatureOf(networkOf(layersModel("residual")).network).normalisation).toBeNull();
  });

  it.each(["", "network/", "outer/inner/"])(
    "finds its weights below the scope %j, and with TensorFlow's :0",
    (scope) => {
      const { tensors, ...rest } = layersModel("sequential");
      const scoped = new Map([...tensors].map(([name, tensor]) => [`${scope}${name}:0`, tensor]));
      expect(networkOf({ ...rest, tensors: scoped })).toEqual(networkOf(layersModel("sequential")));
    },
  );

  it("leaves an optimizer's tensors alone", () => {
    const { tensors, ...rest } = layersModel("sequential");
    const more = new Map([...tensors, ["iter", scalar(7)]] as const);
    expect(networkOf({ ...rest, tensors: more })).toEqual(networkOf(layersModel("sequential")));
  });
});

const scalar = (value: number): Tensor => ({ dtype: "I32", shape: [], data: Int32Array.of(value) });
const zeros = (...shape: number[]): Tensor => ({
  dtype: "F32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

type Config = Record<string, unknown>;
interface LayerJson {
  class_name: string;
  config: Config;
  name?: string;
  inbound_nodes?: unknown;
}

const layer = (class_name: string, config: Config = {}, ...from: string[]): LayerJson => ({
  class_name,
  name: (config.name as string) ?? class_name,
  config,
  inbound_nodes: from.length > 0 ? [from.map((name) => [name, 0, 0, {}])] : [],
});
const input = layer("InputLayer", { name: "images", batch_input_shape: [null, 8, 8, 1] });
const classes = layer("Dense", { name: "classes", units: 3 });
/** The weights of 3 classes of 64 features, and of a convolution of 1 channel to 2. */
const WEIGHTS = {
  "classes/kernel": zeros(64, 3),
  "classes/bias": zeros(3),
  "conv/kernel": zeros(3, 3, 1, 2),
  "conv/bias": zeros(2),
};

function build(topology: unknown, weights: Record<string, Tensor> = WEIGHTS, overrides: Record<string, string> = {}) {
  return networkFromLayers({ format: "tfjs-layers", topology }, new Map(Object.entries(weights)), {}, overrides);
}

const sequential = (...layers: LayerJson[]) => ({ class_name: "Sequential", config: { name: "net", layers } });
/** A model whose layers between images and classes are given. */
const between = (...layers: LayerJson[]) => sequential(input, ...layers, layer("Flatten"), classes);
const functional = (output: string, ...layers: LayerJson[]) => ({
  class_name: "Functional",
  config: { layers, input_layers: [["images", 0, 0]], output_layers: [[output, 0, 0]] },
});
const conv = (config: Config) => between(layer("Conv2D", { name: "conv", filters: 2, kernel_size: 3, ...config }));
const free = layer("InputLayer", { name: "images", batch_input_shape: [null, null, null, 1] });
const without = (name: string) => Object.fromEntries(Object.entries(WEIGHTS).filter(([key]) => key !== name));

describe("a layers model we do not compute", () => {
  it("is not what these cases are made of", () => {
    expect(build(between()).graph).toMatchObject({ dimensions: 64, classes: 3 });
  });

  const cases: [string, () => unknown, string, RegExp][] = [
    [
      "a layer we do not know",
      () => build(between(layer("Conv3D"))),
      "unsupported-network",
      /layer "Conv3D" is a Conv3D, expected one of Conv2D/,
    ],
    [
      "a model as a layer",
      () => build(between({ ...sequential(input), name: "base" })),
      "unsupported-network",
      /layer "base" is a Sequential/,
    ],
    ["a subclassed model", () => build({ class_name: "MyModel", config: {} }), "unsupported-network", /"MyModel"/],
    [
      "an activation we do not know",
      () => build(conv({ activation: "gelu" })),
      "unsupported-network",
      /layer "conv" \(Conv2D\) has the activation "gelu"/,
    ],
    [
      "a softmax on the way",
      () => build(between(layer("Activation", { activation: "softmax" }))),
      "unsupported-network",
      /"softmax"/,
    ],
    ["a bounded ReLU", () => build(between(layer("ReLU", { max_value: 6 }))), "unsupported-network", /max_value is 6/],
    [
      "a kernel that is no square",
      () => build(conv({ kernel_size: [3, 5] })),
      "unsupported-network",
      /kernel_size is \[3,5\]/,
    ],
    [
      "a dilated convolution",
      () => build(conv({ dilation_rate: [2, 2] })),
      "unsupported-network",
      /dilation_rate is \[2,2\]: expected 1/,
    ],
    ["a convolution in groups", () => build(conv({ groups: 2 })), "unsupported-network", /groups is 2: expected 1/],
    [
      "channels first",
      () => build(conv({ data_format: "channels_first" })),
      "unsupported-network",
      /"channels_first": expected channels_last/,
    ],
    [
      "a batch norm over rows",
      () => build(between(layer("BatchNormalization", { axis: 1 }))),
      "unsupported-network",
      /axis 1, expected the last, 3 or -1/,
    ],
    [
      "an average pool that pads",
      () => build(between(layer("AveragePooling2D", { pool_size: 3, padding: "same" }))),
      "unsupported-network",
      /pads "same" a map of 8×8×1/,
    ],
    [
      "a sum of unlike maps",
      () =>
        build(
          functional(
            "classes",
            input,
            layer("Add", {}, "images", "MaxPooling2D"),
            layer("MaxPooling2D", {}, "images"),
            { ...classes, inbound_nodes: [[["Add", 0, 0, {}]]] },
          ),
        ),
      "unsupported-network",
      /Add\) adds 8×8×1 and 4×4×1/,
    ],
    [
      "a map that vanishes",
      () => build(between(layer("MaxPooling2D", { pool_size: 9 }))),
      "unsupported-network",
      /nothing is left of the map after layer "MaxPooling2D" \(0×0×1\)/,
    ],
    [
      "a map larger than memory",
      () =>
        build(
          between(...Array.from({ length: 20 }, (_, i) => layer("ZeroPadding2D", { name: `pad${i}`, padding: 1024 }))),
        ),
      "unsupported-network",
      /more than 268435456 numbers/,
    ],
    [
      "a Dense layer of a map",
      () => build(sequential(input, classes)),
      "unsupported-network",
      /reads a map, expected a vector/,
    ],
    [
      "no Dense layer at the end",
      () => build(sequential(input, layer("GlobalAveragePooling2D"))),
      "unsupported-network",
      /ends in layer "GlobalAveragePooling2D"/,
    ],
    [
      "nothing but an input",
      () => build(sequential(input)),
      "unsupported-network",
      /ends in layer "images" \(InputLayer\)/,
    ],
    [
      "classes by a sigmoid",
      () => build(sequential(input, layer("Flatten"), layer("Dense", { units: 3, activation: "sigmoid" }))),
      "unsupported-network",
      /activation "sigmoid", expected softmax or linear/,
    ],
    [
      "vectors as input",
      () => build(sequential(layer("InputLayer", { name: "x", batch_input_shape: [null, 784] }), classes)),
      "unsupported-network",
      /input "x" has the shape \[null,784\]/,
    ],
    [
      "an input without a shape",
      () => build(sequential(layer("Flatten"), classes)),
      "unsupported-network",
      /input "input" has the shape null/,
    ],
    [
      "a Flatten of free size",
      () => build(sequential(free, layer("Flatten"), classes)),
      "unsupported-network",
      /Flatten\) needs the size/,
    ],
    [
      "a padding of free size",
      () =>
        build(
          sequential(
            free,
            layer("Conv2D", { name: "conv", filters: 2, kernel_size: 3, strides: 2, padding: "same" }),
            layer("GlobalAveragePooling2D"),
            classes,
          ),
        ),
      "unsupported-network",
      /layer "conv" pads "same" at stride 2/,
    ],
    [
      "a vector too long for a batch norm",
      () =>
        build(
          sequential(
            layer("InputLayer", { name: "x", batch_input_shape: [null, 80, 80, 1] }),
            layer("Flatten"),
            layer("BatchNormalization", { name: "n", scale: false, center: false }),
            classes,
          ),
          { ...WEIGHTS, "n/moving_mean": zeros(6400), "n/moving_variance": zeros(6400) },
        ),
      "unsupported-network",
      /vector of 6400 numbers/,
    ],
    [
      "two outputs",
      () =>
        build({
          class_name: "Model",
          config: {
            layers: [input, classes],
            input_layers: [["images", 0, 0]],
            output_layers: [
              ["a", 0, 0],
              ["b", 0, 0],
            ],
          },
        }),
      "unsupported-network",
      /2 outputs/,
    ],
    [
      "an input other than the stated one",
      () =>
        build(
          functional("classes", { ...input, name: "other" }, layer("Flatten", {}, "other"), {
            ...classes,
            inbound_nodes: [[["Flatten", 0, 0]]],
          }),
        ),
      "unsupported-network",
      /comes from "other", expected the input "images" alone/,
    ],
    [
      "a layer used twice",
      () =>
        build(functional("classes", input, { ...classes, inbound_nodes: [[["images", 0, 0]], [["images", 0, 0]]] })),
      "unsupported-network",
      /"classes" is used 2 times/,
    ],
    [
      "classes of two vectors",
      () =>
        build(
          functional("classes", input, layer("Flatten", {}, "images"), layer("Dropout", {}, "Flatten"), {
            ...classes,
            inbound_nodes: [
              [
                ["Flatten", 0, 0],
                ["Dropout", 0, 0],
              ],
            ],
          }),
        ),
      "unsupported-network",
      /layer "classes" \(Dense\) reads 2 layers, expected one/,
    ],
    [
      "a circle",
      () =>
        build(
          functional("classes", input, layer("ReLU", {}, "Dropout"), layer("Dropout", {}, "ReLU"), {
            ...classes,
            inbound_nodes: [[["ReLU", 0, 0]]],
          }),
        ),
      "malformed-checkpoint",
      /reads its own output/,
    ],
    [
      "a layer that reads itself",
      () => build(functional("ReLU", input, layer("ReLU", {}, "ReLU"))),
      "malformed-checkpoint",
      /"ReLU" reads its own output/,
    ],
    [
      "a layer that is not there",
      () => build(functional("classes", input)),
      "malformed-checkpoint",
      /no layer "classes"/,
    ],
    [
      "two layers of one name",
      () => build(between(layer("ReLU"), layer("ReLU"))),
      "malformed-checkpoint",
      /two layers are named "ReLU"/,
    ],
    [
      "a million layers",
      () => build({ class_name: "Sequential", config: { layers: Array(1e6).fill(layer("ReLU")) } }),
      "malformed-checkpoint",
      /more than 5000 layers/,
    ],
    [
      "a layer that reads a million",
      () => build(functional("Add", input, { ...layer("Add"), inbound_nodes: [Array(1e6).fill(["images", 0, 0])] })),
      "malformed-checkpoint",
      /reads 1000000 layers/,
    ],
    [
      "layers that are numbers",
      () => build({ class_name: "Sequential", config: { layers: [1, 2] } }),
      "malformed-checkpoint",
      /config.layers.0/,
    ],
    ["no topology", () => build(7), "malformed-checkpoint", /modelTopology/],
    [
      "a missing tensor",
      () => build(between(), without("classes/bias")),
      "wrong-shape",
      /no tensor "classes\/bias" of 3/,
    ],
    [
      "a tensor of another shape",
      () => build(between(), { ...WEIGHTS, "classes/kernel": zeros(3, 64) }),
      "wrong-shape",
      /"classes\/kernel" is 3×64, expected 64×3/,
    ],
    [
      "integers as weights",
      () => build(between(), { ...WEIGHTS, "classes/bias": { ...zeros(3), dtype: "I32", data: new Int32Array(3) } }),
      "wrong-shape",
      /holds I32, expected float32/,
    ],
    [
      "two tensors for one",
      () => build(between(), { ...WEIGHTS, "net/classes/bias": zeros(3) }),
      "wrong-shape",
      /both the bias of layer "classes"/,
    ],
    [
      "a tensor too many",
      () => build(sequential(input, layer("Flatten"), layer("Dense", { name: "classes", units: 3, use_bias: false }))),
      "wrong-shape",
      /unexpected tensor "classes\/bias"/,
    ],
    [
      "a NaN weight",
      () => build(between(), { ...WEIGHTS, "classes/bias": { ...zeros(3), data: Float32Array.of(0, Number.NaN, 0) } }),
      "non-finite-weight",
      /"classes\/bias" holds NaN at element 1/,
    ],
    [
      "an architecture asked for",
      () => build(between(), WEIGHTS, { arch: "resnet18" }),
      "invalid-metadata",
      /arch cannot be changed/,
    ],
    [
      "too many means",
      () => build(between(), WEIGHTS, { mean: "1,2,3" }),
      "invalid-metadata",
      /mean has 3 numbers, expected 1/,
    ],
  ];

  it.each(cases)("is refused within two seconds, naming the offender: %s", (_, attempt, code, message) => {
    const start = performance.now();
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
