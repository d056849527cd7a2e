import { imageMaps } from "../../../engines/tfjs/layout.ts";
import { loadNative } from "../../../engines/tfjs/native.ts";
import { type Feed, openNativeSession } from "../../../engines/tfjs/nativeSession.ts";
import type { LossGradients } from "../../losses/loss.ts";
import { learnedParameters, type TrainedNetwork, type TrainingStart } from "../network.ts";
import {
  BIAS_DESCENDED,
  DESCENDED,
  fedAs,
  GRADIENTS,
  KEPT,
  LEARNING_RATE,
  MAPS,
  OUTPUTS,
  READY,
  readAs,
  velocityOf,
  writeStep,
} from "./stepGraph.ts";

/**
 * Returns the network in training on native TensorFlow.
 * @throws CollapsarError `missing-engine`, `unsupported-network`.
 */
export async function createNativeNetwork(start: TrainingStart): Promise<TrainedNetwork> {
  const { graph, parameters, velocity } = start;
  const learned = learnedParameters(graph);
  const { binding } = await loadNative(start.threads);
  const session = openNativeSession(binding, writeStep(start));
  session.run(
    [
      ...graph.parameters.map(({ name, shape }) => ({ name: fedAs(name), dims: shape, values: parameters.get(name)! })),
      ...learned.map(({ name, shape }) => ({
        name: fedAs(velocityOf(name)),
        dims: shape,
        values: velocity?.get(name) ?? new Float32Array(shape.reduce((a, b) => a * b, 1)),
      })),
    ],
    [READY],
  );
  const { channels } = graph;
  const { height, width } = graph.size!;
  const read = (names: readonly string[], as: (name: string) => string) => {
    const values = session.run([], names.map(as));
    return new Map(names.map((name, i) => [name, values[i]!]));
  };

  return {
    step(images, learningRate, differentiate) {
      const count = images.length / (channels * height * width);
      const maps = {
        name: MAPS,
        dims: [count, height, width, channels],
        values: imageMaps(graph, images, height * width),
      };
      const [features, logits, weight, bias] = session.run([maps], [...OUTPUTS, KEPT]) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const gradients = differentiate({ features, logits, weight, bias });
      const feeds = [
        ...feedsOf(gradients, count),
        { name: LEARNING_RATE, dims: [], values: Float32Array.of(learningRate) },
      ];
      session.run(feeds, gradients.gradLogits ? [DESCENDED, BIAS_DESCENDED] : [DESCENDED]);
    },
    parameters: () =>
      read(
        graph.parameters.map(({ name }) => name),
        readAs,
      ),
    velocity: () =>
      read(
        learned.map(({ name }) => name),
        (name) => readAs(velocityOf(name)),
      ),
    dispose: () => session.close(),
  };

  function feedsOf({ gradFeatures, gradLogits, gradWeight }: LossGradients, count: number): Feed[] {
    const { dimensions, classes } = graph;
    const fed = (name: string, gradient: LossGradients[keyof LossGradients], rows: number, columns: number) => ({
      name,
      dims: [rows, columns],
      values: gradient ? Float32Array.from(gradient) : new Float32Array(rows * columns),
    });
    return [
      fed(GRADIENTS.features, gradFeatures, count, dimensions),
      fed(GRADIENTS.logits, gradLogits, count, classes),
      fed(GRADIENTS.weight, gradWeight, classes, dimensions),
    ];
  }
}
