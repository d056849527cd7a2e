import type { Network } from "../../networks/network.ts";
import type { ImageInput, Model } from "../engine.ts";
import { requireFittingInput } from "../pixels.ts";
import type { Binding } from "./native.ts";
import { openNativeSession } from "./nativeSession.ts";
import { IMAGES, OUTPUTS, READY, toSavedModel } from "./toSavedModel.ts";

/**
 * Returns the network as a model of native TensorFlow: a graph, in which TensorFlow computes convolution, bias, addition and
 * ReLU at once. Operation by operation it is 0.86 times as fast (ResNet18, width 64, oneDNN).
 * @throws CollapsarError as `Engine.load`.
 */
export async function loadNativeModel(binding: Binding, loaded: Network, input: ImageInput): Promise<Model> {
  const network = loaded.kind === "onnx" ? loaded.toGraph() : loaded;
  requireFittingInput(network.graph, input);
  const { height, width } = input;
  const { channels } = network.graph;
  const shape = input.kind === "pixels" ? [height, width, channels] : [channels, height, width];
  const { file, weights } = toSavedModel(network, input);
  const session = openNativeSession(binding, file);
  session.run(weights, [READY]);
  return {
    async run(images, count) {
      const [features, logits] = session.run([{ name: IMAGES, dims: [count, ...shape], values: images }], OUTPUTS);
      return { features: features!, logits: logits! };
    },
    async dispose() {
      session.close();
    },
  };
}
