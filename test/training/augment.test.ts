import { describe, expect, it } from "vitest";
import { cropAndFlip, usualAugmentation } from "../../src/training/augment.ts";
import { generatorOf } from "../../src/training/random.ts";

const shape = { height: 6, width: 5, channels: 3 } as const;
const size = shape.height * shape.width * shape.channels;

/** Every pixel that a shift by (down, right) and a flip give, by the definition: look up, 0 outside. */
function expected(
  pixel: (row: number, column: number, channel: number) => number,
  down: number,
  right: number,
  flip: boolean,
) {
  return Array.from({ length: size }, (_, i) => {
    const [row, column, channel] = [Math.floor(i / 15), Math.floor(i / 3) % 5, i % 3];
    const [y, x] = [row - down, (flip ? 4 - column : column) - right];
    return y < 0 || y > 5 || x < 0 || x > 4 ? 0 : pixel(y, x, channel);
  });
}

const pixel = (row: number, column: number, channel: number) => 1 + row * 15 + column * 3 + channel;
const image = Uint8Array.from({ length: size }, (_, i) => 1 + i);

describe("random crops and flips", () => {
  const count = 2000;
  const batch = Uint8Array.from({ length: count * size }, (_, i) => image[i % size]!);
  const augmented = cropAndFlip(batch, { ...shape, kind: "pixels" }, generatorOf("test", 1));
  const candidates = new Map<string, string>();
  for (let down = -4; down <= 4; down++)
    for (let right = -4; right <= 4; right++)
      for (const flip of [false, true])
        candidates.set(expected(pixel, down, right, flip).join(), `${down} ${right} ${flip}`);

  it("are shifts by up to 4 pixels, flipped or not, each as often as the other", () => {
    expect(candidates.size).toBe(9 * 9 * 2);
    const drawn = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const kind = candidates.get(augmented.subarray(i * size, (i + 1) * size).join());
      expect(kind).toBeDefined();
      drawn.set(kind!, (drawn.get(kind!) ?? 0) + 1);
    }
    // all 162 come about 12 times each; 5 standard deviations of a binomial count above that is 30
    expect(drawn.size).toBe(162);
    expect(Math.max(...drawn.values())).toBeLessThan(30);
  });

  it("are the same on normalised images, plane by plane", () => {
    const planes = (pixels: ArrayLike<number>) =>
      Float32Array.from({ length: size }, (_, i) => pixels[(i % 30) * 3 + Math.floor(i / 30)]!);
    const floats = cropAndFlip(planes(image), { ...shape, kind: "normalised" }, generatorOf("test", 2));
    expect(floats).toEqual(planes(cropAndFlip(image, { ...shape, kind: "pixels" }, generatorOf("test", 2))));
  });

  it("leave the batch they are given as it was", () => {
    expect(batch.subarray(size, 2 * size)).toEqual(image);
  });

  it("are what DDU has for CIFAR, and for nothing else", () => {
    expect(["cifar10", "cifar100", "mnist", "svhn", ""].map(usualAugmentation)).toEqual([
      ...["crop-flip", "crop-flip", "none", "none", "none"],
    ]);
  });
});
