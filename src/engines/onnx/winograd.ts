import type { OnnxConstant, OnnxNode } from "../../checkpoints/onnx/schema.ts";
import { INPUT } from "../../networks/graph.ts";
import type { FoldedConv } from "../fold.ts";
import type { MapSize } from "./mapSizes.ts";
import { filterTransform, inputTransform, outputTransform, tilesAcross } from "./winogradTransforms.ts";

/*
 * Winograd's F(m×m, 3×3) (Lavin and Gray, arXiv 1509.09308): a 3×3 convolution takes (m+2)² products for m² outputs in place
 * of 9m². ONNX Runtime does not use it, and its own convolutions already run at 95 % of what two AVX-512 cores can.
 */

/**
 * Side m of a tile by side of the map. One thread, AVX-512, batches of 32 images, times as fast as the convolution: 4×4
 * maps 1.1 with 128 channels, 1.3 with 256, 1.5 with 512 (m = 4 would be 1.6, 1.5 and 1.7, for 2.25 times the weights); 7×7
 * with 256 1.6; 8×8 1.7 with 128, 1.9 with 256; 14×14 with 128 1.2; 16×16 1.6 with 128, 1.9 with 256. It is 1.3 with 64 on
 * 16×16, 0.7 to 0.9 on two threads, and 32×32 with 64 is slower on any. What it adds is mostly moving of numbers, so that
 * processors of slower arithmetic (AVX2) lose no more by it.
 */
const TILE_OF_SIDE: Readonly<Record<number, number>> = { 4: 2, 7: 4, 8: 4, 14: 4, 16: 4 };
const LEAST_CHANNELS = 128;

/** ONNX Runtime rearranges the transformed weights at every call: batches of larger images are too small to pay for that. */
const MOST_PIXELS = 64 * 64;

/** Returns whether the convolution is one that `winogradConv` computes faster, in a network with maps of these sizes. */
export function isForWinograd(
  { input, shape, stride, padding }: FoldedConv,
  sizes: ReadonlyMap<string, MapSize>,
): boolean {
  const [outputs, inputs, kernel] = shape as [number, number, number];
  const [images, map] = [sizes.get(INPUT), sizes.get(input)];
  if (!images || !map || images.height * images.width > MOST_PIXELS) return false;
  const fits = kernel === 3 && stride === 1 && padding === 1 && map.height === map.width && map.width in TILE_OF_SIDE;
  return fits && Math.min(inputs, outputs) >= LEAST_CHANNELS;
}

/**
 * Returns the convolution of maps of S×S as nodes and constants. Rows and then columns of the maps are transformed to the
 * numbers of the tiles; for each number one product sums over the channels; columns and then rows are transformed back. A
 * transposition before or after a product costs nothing, as ONNX Runtime makes it part of that. The batch is among the
 * rows or columns of each product and no sum runs over it, so that no bit depends on it.
 */
export function winogradConv(
  { name, input, shape, weight, bias }: FoldedConv,
  { width: side }: MapSize,
): { nodes: readonly OnnxNode[]; constants: readonly OnnxConstant[] } {
  const [outputs, inputs] = shape as [number, number];
  const tile = TILE_OF_SIDE[side]!;
  const [tiles, numbers] = [tilesAcross(side, tile), tile + 2];
  const all = numbers * tiles;
  const writer = new ChainWriter(name, input);
  const into = writer.constant(inputTransform(side, tile), all, side);
  const back = writer.constant(outputTransform(side, tile), all, side);
  const filters = writer.constant(filterTransform(weight, shape, tile), numbers, 1, numbers, inputs, outputs);
  writer.reshape(-1, side); // N·C·y × x
  writer.transpose(1, 0);
  writer.product(into, writer.at); // (j, tile column) × N·C·y
  writer.reshape(all, -1, side);
  writer.transpose(0, 2, 1);
  writer.product(into, writer.at); // (j, tile column) × (i, tile row) × N·C
  writer.reshape(numbers, tiles, numbers, -1, inputs); // the rows are tile row and N
  writer.product(writer.at, filters); // (j, tile column) × (i, tile row) × N·O
  writer.reshape(all, all, -1);
  writer.transpose(0, 2, 1);
  writer.product(writer.at, back); // (j, tile column) × N·O × y
  writer.reshape(all, -1);
  writer.transpose(1, 0);
  writer.product(writer.at, back); // N·O·y × x
  writer.reshape(-1, outputs, side, side);
  return writer.endWithSum(writer.constant(bias, 1, outputs, 1, 1));
}

/** Operations each of which reads the one before. */
class ChainWriter {
  /** The name of what is computed so far. */
  at: string;
  readonly #name: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxConstant[] = [];

  constructor(name: string, input: string) {
    this.#name = name;
    this.at = input;
  }

  constant(values: OnnxConstant["values"], ...dims: number[]): string {
    const name = `${this.#name}.constant${this.#constants.length}`;
    this.#constants.push({ name, dims, values });
    return name;
  }

  reshape(...dims: number[]): void {
    const shape = this.constant(BigInt64Array.from(dims, BigInt), dims.length);
    this.#push({ opType: "Reshape", input: [this.at, shape] });
  }

  transpose(...perm: number[]): void {
    this.#push({ opType: "Transpose", input: [this.at], attributes: { perm } });
  }

  product(left: string, right: string): void {
    this.#push({ opType: "MatMul", input: [left, right] });
  }

  /** Adds the constant of that name; the result has the name of the whole. */
  endWithSum(constant: string) {
    this.#nodes.push({ opType: "Add", input: [this.at, constant], output: this.#name });
    return { nodes: this.#nodes, constants: this.#constants };
  }

  #push(node: Omit<OnnxNode, "output">): void {
    this.at = `${this.#name}.step${this.#nodes.length}`;
    this.#nodes.push({ ...node, output: this.at });
  }
}
