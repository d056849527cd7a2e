import { CollapsarError } from "../../errors.ts";
import type { BatchLoss } from "../losses/loss.ts";
import type { TrainedNetwork, TrainingStart } from "./network.ts";

/** The engines that train. */
export const TRAINING_ENGINES = ["tensorflow", "wasm"] as const;
export type TrainingEngine = (typeof TRAINING_ENGINES)[number];

/** Where training starts, what it minimises, and where it runs. */
export interface TrainerOptions extends TrainingStart {
  readonly loss: BatchLoss;
  /** Default: `wasm`, which is everywhere. */
  readonly engine?: TrainingEngine | undefined;
}

/** What a step saw before it changed the weights: the loss, its terms, and how many images were classified as labelled. */
export type StepResult = {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly correct: number;
};

/** A network in training. On one engine, on CPUs and with as many threads, the same numbers in give the same bytes out. */
export interface Trainer extends Pick<TrainedNetwork, "parameters" | "velocity" | "dispose"> {
  /**
   * Takes one step of gradient descent on a batch: pixels (N×H×W×C uint8) or normalised images (N×C×H×W float32).
   * @throws CollapsarError `non-finite-loss` that names the step; the weights are then as before it.
   */
  step(images: Uint8Array | Float32Array, labels: Int32Array, learningRate: number): Promise<StepResult>;
}

/**
 * Returns a trainer of the graph.
 * @throws CollapsarError `missing-engine`, and `unsupported-network` where the engine cannot differentiate the graph.
 */
export async function createTrainer({ loss, engine = "wasm", ...start }: TrainerOptions): Promise<Trainer> {
  if (!start.graph.size)
    throw new CollapsarError("unsupported-network", "a network for images of any size is not trained here");
  const network = await CREATORS[engine](start);
  let steps = 0;

  function step(images: Uint8Array | Float32Array, labels: Int32Array, learningRate: number): StepResult {
    steps++;
    let result: StepResult;
    network.step(images, learningRate, (outputs) => {
      const { value, terms, ...gradients } = loss({ ...outputs, labels });
      if (!Number.isFinite(value))
        throw new CollapsarError("non-finite-loss", `the loss of step ${steps} is ${value}, expected a finite number`);
      result = { loss: value, terms, correct: countCorrect(outputs.logits, labels) };
      return gradients;
    });
    return result!;
  }

  return { ...network, step: async (...batch) => step(...batch) };
}

/** What each engine trains with; a native library or WASM module is loaded only when it is asked for. */
const CREATORS: Readonly<Record<TrainingEngine, (start: TrainingStart) => Promise<TrainedNetwork>>> = {
  tensorflow: async (start) => (await import("./native/network.ts")).createNativeNetwork(start),
  wasm: async (start) => (await import("./wasm/network.ts")).createWasmNetwork(start),
};

function countCorrect(logits: Float32Array, labels: Int32Array): number {
  const classes = logits.length / labels.length;
  return labels.reduce((correct, label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return correct + (row.indexOf(row.reduce((a, b) => Math.max(a, b))) === label ? 1 : 0);
  }, 0);
}
