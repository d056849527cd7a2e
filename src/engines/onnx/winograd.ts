import type { OnnxConstant, OnnxNode } from "../../checkpoints/onnx/schema.ts";
import type { FoldedConv } from "../fold.ts";
import type { MapSize } from "./mapSizes.ts";

/*
 * Winograd's F(2×2, 3×3) (Lavin and Gray, arXiv 1509.09308): a 3×3 convolution takes 16 products for four outputs in place
 * of 36. ONNX Runtime does not use it, and on the smallest maps it reads all weights anew for every image. As products of
 * matrices over the whole batch, a convolution of 4×4 maps with 512 channels is 2 times as fast, with 256 1.2, with 64 half
 * as fast; of 8×8 maps it is no faster (one thread, AVX2, batch 32). Differences are 5e-7 of the largest.
 */

/** Side of the maps it is used on, tiles of 2×2 outputs in these, and numbers of a transformed tile. */
const SIDE = 4;
const TILES = 4;
const TILE = 16;
const LEAST_CHANNELS = 256;

const INPUT_TRANSFORM = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
const FILTER_TRANSFORM = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];
const OUTPUT_TRANSFORM = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

/** Returns whether the convolution, of a map of that size, is one that `winogradConv` computes faster. */
export function isForWinograd({ shape, stride, padding }: FoldedConv, size: MapSize | undefined): boolean {
  const [outputs, inputs, kernel] = shape as [number, number, number];
  const fits = kernel === 3 && stride === 1 && padding === 1 && size?.height === SIDE && size.width === SIDE;
  return fits && Math.min(inputs, outputs) >= LEAST_CHANNELS;
}

/**
 * Returns the convolution as nodes and constants. Pixels (16 × N·C) are transformed to the numbers of the tiles; for each of
 * these one product sums over the channels (tiles·N × C by C × O), and what comes out is transformed back. The batch is
 * among the rows of that product, so that how ONNX Runtime cuts its sums does not depend on it, nor does any bit.
 */
export function winogradConv({ name, input, shape, weight, bias }: FoldedConv): {
  nodes: readonly OnnxNode[];
  constants: readonly OnnxConstant[];
} {
  const [outputs, inputs] = shape as [number, number];
  const writer = new ChainWriter(name, input);
  writer.reshape(-1, inputs, SIDE * SIDE);
  writer.transpose(2, 0, 1);
  writer.reshape(SIDE * SIDE, -1);
  writer.productFromLeft(tileTransform(), TILE * TILES, SIDE * SIDE);
  writer.reshape(TILE, -1, inputs);
  writer.productFromRight(filterTransform(weight, outputs, inputs), TILE, inputs, outputs);
  writer.reshape(TILE * TILES, -1);
  writer.productFromLeft(mapTransform(), SIDE * SIDE, TILE * TILES);
  writer.reshape(SIDE, SIDE, -1, outputs);
  writer.transpose(2, 3, 0, 1);
  return writer.endWithSum(bias);
}

/** Operations each of which reads the one before. */
class ChainWriter {
  readonly #name: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxConstant[] = [];
  #at: string;

  constructor(name: string, input: string) {
    this.#name = name;
    this.#at = input;
  }

  reshape(...dims: number[]): void {
    const shape = this.#constant(BigInt64Array.from(dims, BigInt), dims.length);
    this.#push({ opType: "Reshape", input: [this.#at, shape] });
  }

  transpose(...perm: number[]): void {
    this.#push({ opType: "Transpose", input: [this.#at], attributes: { perm } });
  }

  productFromLeft(matrix: Float32Array, ...dims: number[]): void {
    this.#push({ opType: "MatMul", input: [this.#constant(matrix, ...dims), this.#at] });
  }

  productFromRight(matrices: Float32Array, ...dims: number[]): void {
    this.#push({ opType: "MatMul", input: [this.#at, this.#constant(matrices, ...dims)] });
  }

  /** Adds a number to each channel; the result has the name of the whole. */
  endWithSum(bias: Float32Array) {
    const input = [this.#at, this.#constant(bias, 1, bias.length, 1, 1)];
    this.#nodes.push({ opType: "Add", input, output: this.#name });
    return { nodes: this.#nodes, constants: this.#constants };
  }

  #push(node: Omit<OnnxNode, "output">): void {
    this.#at = `${this.#name}.step${this.#nodes.length}`;
    this.#nodes.push({ ...node, output: this.#at });
  }

  #constant(values: OnnxConstant["values"], ...dims: number[]): string {
    const name = `${this.#name}.constant${this.#constants.length}`;
    this.#constants.push({ name, dims, values });
    return name;
  }
}

/** `(i, j, tile row, tile column) × (row, column)` of a map whose surroundings are 0: `B⊗B` at the tile's place. */
function tileTransform(): Float32Array {
  const matrix = new Float32Array(TILE * TILES * SIDE * SIDE);
  eachTile((tile, top, left) => {
    for (let number = 0; number < TILE; number++)
      for (let at = 0; at < TILE; at++) {
        const [row, column] = [top + Math.floor(at / 4) - 1, left + (at % 4) - 1];
        if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
        matrix[(number * TILES + tile) * SIDE * SIDE + row * SIDE + column] = outer(INPUT_TRANSFORM, number, at);
      }
  });
  return matrix;
}

/** `(row, column) × (i, j, tile row, tile column)`: `A⊗A` at the tile's place. */
function mapTransform(): Float32Array {
  const matrix = new Float32Array(SIDE * SIDE * TILE * TILES);
  eachTile((tile, top, left) => {
    for (let at = 0; at < 4; at++) {
      const [y, x] = [at >> 1, at & 1];
      const pixel = (top + y) * SIDE + left + x;
      for (let number = 0; number < TILE; number++)
        matrix[(pixel * TILE + number) * TILES + tile] =
          OUTPUT_TRANSFORM[y]![number >> 2]! * OUTPUT_TRANSFORM[x]![number & 3]!;
    }
  });
  return matrix;
}

function eachTile(visit: (tile: number, top: number, left: number) => void): void {
  for (let tile = 0; tile < TILES; tile++) visit(tile, 2 * (tile >> 1), 2 * (tile & 1));
}

/** Entry (row, column) of `M⊗M` for a 4×4 matrix M. */
function outer(matrix: readonly (readonly number[])[], row: number, column: number): number {
  return matrix[row >> 2]![column >> 2]! * matrix[row & 3]![column & 3]!;
}

/** 16×C×O: `G w Gᵀ` of every 3×3 filter, in float64 rounded once. */
function filterTransform(weight: Float32Array, outputs: number, inputs: number): Float32Array {
  const filters = outputs * inputs;
  const transformed = new Float32Array(TILE * filters);
  const coefficients = Array.from({ length: TILE }, (_, number) =>
    Array.from({ length: 9 }, (_, at) => {
      const [i, j, y, x] = [number >> 2, number & 3, Math.floor(at / 3), at % 3];
      return FILTER_TRANSFORM[i]![y]! * FILTER_TRANSFORM[j]![x]!;
    }),
  );
  for (let filter = 0; filter < filters; filter++) {
    const [output, input] = [Math.floor(filter / inputs), filter % inputs];
    for (let number = 0; number < TILE; number++) {
      const row = coefficients[number]!;
      let sum = 0;
      for (let at = 0; at < 9; at++) sum += row[at]! * weight[filter * 9 + at]!;
      transformed[number * filters + input * outputs + output] = sum;
    }
  }
  return transformed;
}
