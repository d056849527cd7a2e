import { uniformInt } from "pure-rand/distribution/uniformInt";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import type { Dataset } from "../datasets/dataset.ts";

/** `crop-flip`: a random crop of the image padded by 4, mirrored one of two times. */
export const AUGMENTATIONS = ["none", "crop-flip"] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** Zeros around an image before it is cropped to its size again: what He et al. (arXiv 1512.03385, 4.2) and DDU take. */
const PADDING = 4;

/** The datasets that DDU trains with crops and flips; a digit that is flipped is none. */
const AUGMENTED: ReadonlySet<string> = new Set(["cifar10", "cifar100"]);

/** Returns how DDU augments the images of a dataset of that name. */
export function usualAugmentation(dataset: string): Augmentation {
  return AUGMENTED.has(dataset) ? "crop-flip" : "none";
}

/**
 * Returns copies of a batch of images, each shifted by up to 4 pixels along both sides and, one of two times, mirrored left
 * to right, as torchvision's `RandomCrop(size, padding=4)` and `RandomHorizontalFlip()`. What comes in from outside is
 * black; of images that are normalised already it is 0, the mean.
 */
export function cropAndFlip<T extends Uint8Array | Float32Array>(
  images: T,
  { height, width, channels, kind }: Pick<Dataset, "height" | "width" | "channels" | "kind">,
  generator: RandomGenerator,
): T {
  // N×H×W×C pixels are one plane of deep pixels, N×C×H×W are C planes
  const [planes, depth] = kind === "pixels" ? [1, channels] : [channels, 1];
  const augmented = images.slice().fill(0) as T;
  const planeSize = height * width * depth;
  for (let image = 0; image < images.length; image += planes * planeSize) {
    const down = uniformInt(generator, -PADDING, PADDING);
    const right = uniformInt(generator, -PADDING, PADDING);
    const mirrored = uniformInt(generator, 0, 1) === 1;
    for (let plane = image; plane < image + planes * planeSize; plane += planeSize)
      for (let row = Math.max(0, down); row < Math.min(height, height + down); row++)
        for (let column = Math.max(0, right); column < Math.min(width, width + right); column++) {
          const from = plane + ((row - down) * width + column - right) * depth;
          const to = plane + (row * width + (mirrored ? width - 1 - column : column)) * depth;
          for (let i = 0; i < depth; i++) augmented[to + i] = images[from + i]!;
        }
  }
  return augmented;
}
