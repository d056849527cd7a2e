import type { TrainingSet } from "./trainingSet.ts";

/** Mean and standard deviation of pixel/255, per channel. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** DDU takes one for all three. */
const CIFAR = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

/** The constants networks for these datasets are usually trained with (DDU's for MNIST, whose digits ours are). */
const USUAL: Readonly<Record<string, Normalisation>> = {
  digits: { mean: [0.1307], std: [0.3081] },
  mnist: { mean: [0.1307], std: [0.3081] },
  "dirty-mnist": { mean: [0.1307], std: [0.3081] },
  cifar10: CIFAR,
  cifar100: CIFAR,
  svhn: CIFAR,
  "fashion-mnist": { mean: [0.2861], std: [0.353] },
};

/**
 * Returns how the pixels of `set` are normalised: the usual constants of a named dataset, else what its own pixels show,
 * to four decimals; null where the images are normalised already.
 */
export function normalisationOf({ dataset, images }: TrainingSet): Normalisation | null {
  if (dataset.kind === "normalised") return null;
  return USUAL[dataset.name.replace(/:.*/, "")] ?? measure(images, dataset.channels);
}

/** N×H×W×C pixels, so a channel is every C-th. Sums of integers are exact. */
function measure(pixels: ArrayLike<number>, channels: number): Normalisation {
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i]!;
    sums[i % channels]! += pixel;
    squares[i % channels]! += pixel * pixel;
  }
  const count = pixels.length / channels;
  const mean = Array.from(sums, (sum) => sum / count);
  const std = mean.map((value, channel) => Math.sqrt(squares[channel]! / count - value * value));
  const round = (value: number) => Number((value / 255).toFixed(4));
  // a channel without any contrast is centred only
  return { mean: mean.map(round), std: std.map((value) => round(value) || 1) };
}
