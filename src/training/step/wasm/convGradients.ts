import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

/** Stride and zero padding of a convolution, the same along height and width. */
export interface ConvGeometry {
  readonly stride: number;
  readonly padding: number;
}

export type Shape4D = readonly [number, number, number, number];

/*
 * Both gradients of a convolution, written as forward convolutions: the one large product that the WASM backend runs fast
 * (XNNPACK, 12 GMAC/s where measured). Its own Conv2DBackpropInput is a slow loop, Conv2DBackpropFilter is missing.
 */

/**
 * Returns the gradient with respect to the input. Pixel `s·i + r` (0 ≤ r < s) receives `dy[i − t]·w[s·t + r + p]` for every
 * t that names a filter row. So the s phases r of both axes are s² groups of output channels of one convolution at the
 * gradient's own resolution, whose results then take their places. (Spreading dy by zeros costs 4 times the products at
 * stride 2: 2.2 against 1.4 ms for 8 → 16 channels of 28×28, batch 32.)
 */
export function convInputGradient(
  gradient: tf.Tensor4D,
  filter: tf.Tensor4D,
  [, height, width]: Shape4D,
  { stride, padding }: ConvGeometry,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [taps, first, last] = phaseFilter(filter, stride, padding);
    const rows = Math.ceil(height / stride);
    const columns = Math.ceil(width / stride);
    const pad = (from: number, to: number): [number, number] => [last, to - from - first];
    const pads: tf.backend_util.ExplicitPadding = [
      [0, 0],
      pad(gradient.shape[1], rows),
      pad(gradient.shape[2], columns),
      [0, 0],
    ];
    const phases = tf.conv2d(gradient, taps, 1, pads);
    return stride === 1 ? phases : tf.slice(interleave(phases, stride), [0, 0, 0, 0], [-1, height, width, -1]);
  });
}

/**
 * Returns the filter of `convInputGradient`, T×T×out×(s·s·in), and the first and last t of the T = last − first + 1.
 */
function phaseFilter(filter: tf.Tensor4D, stride: number, padding: number): [tf.Tensor4D, number, number] {
  const [size, , inputs, outputs] = filter.shape;
  const positions = Array.from({ length: size }, (_, row) => {
    const t = Math.floor((row - padding) / stride);
    return { t, phase: row - padding - t * stride };
  });
  const first = Math.min(...positions.map(({ t }) => t));
  const last = Math.max(...positions.map(({ t }) => t));
  const length = last - first + 1;
  const depth = stride * stride * inputs;
  const taps = new Float32Array(length * length * outputs * depth);
  const weights = filter.dataSync();
  let from = 0;
  for (const y of positions)
    for (const x of positions) {
      const tap = ((last - y.t) * length + last - x.t) * outputs;
      const phase = (y.phase * stride + x.phase) * inputs;
      for (let input = 0; input < inputs; input++)
        for (let output = 0; output < outputs; output++)
          taps[(tap + output) * depth + phase + input] = weights[from++]!;
    }
  return [tf.tensor4d(taps, [length, length, outputs, depth]), first, last];
}

/** Returns an N×(s·H)×(s·W)×C map of N×H×W×(s·s·C) phases. `depthToSpace` does the same at a tenth of the speed. */
function interleave(phases: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [count, height, width, depth] = phases.shape;
  const rows = tf.reshape(phases, [count * height, width, stride, depth / stride]);
  const channels = depth / stride / stride;
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [count, height * stride, width * stride, channels]);
}

/**
 * Returns the gradient with respect to the k×k filter, `dw[ky,kx,c,o] = Σ x[n, s·y+ky−p, s·j+kx−p, c]·dy[n, y, j, o]` over
 * n, y, j. As a convolution: "images" kx, "pixels" (row of x, c), "channels" (j, n), and dy the filter, H'×1, dilated by
 * the stride. Tiles of XNNPACK are 4 pixels, so 3·C of them fill better than the 3×3 that remain when batch and channels
 * merely swap (34 against 41 ms for a ResNet18 of width 8, 28×28, batch 32).
 */
export function convFilterGradient(
  x: tf.Tensor4D,
  gradient: tf.Tensor4D,
  k: number,
  { stride, padding }: ConvGeometry,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [count, rows, columns, outputs] = gradient.shape;
    const reached = (rows - 1) * stride + k - padding;
    const used = Math.min(x.shape[1], reached);
    const images = shiftedColumns(x, k, columns, used, { stride, padding });
    const filter = tf.reshape(tf.transpose(gradient, [1, 2, 0, 3]), [rows, 1, columns * count, outputs]);
    const pads: tf.backend_util.ExplicitPadding = [
      [0, 0],
      [padding, reached - used],
      [0, 0],
      [0, 0],
    ];
    const product = tf.conv2d(images as tf.Tensor4D, filter as tf.Tensor4D, 1, pads, "NHWC", [stride, 1]);
    return tf.transpose(product, [1, 0, 2, 3]);
  });
}

/**
 * Returns the k×rows×C×(columns·N) tensor whose `[kx, y, c, j·N + n]` is `x[n, y, s·j + kx − p, c]`, 0 outside the map, for
 * the first `rows` rows.
 */
function shiftedColumns(
  x: tf.Tensor4D,
  k: number,
  columns: number,
  rows: number,
  { stride, padding }: ConvGeometry,
): tf.Tensor {
  const [count, , width, channels] = x.shape;
  const lines = tf.transpose(x, [1, 3, 2, 0]);
  const backend = tf.backend() as BackendWasm;
  const info = backend.makeOutput([k, rows, channels, columns * count], "float32");
  // views only now: making a tensor may grow the WASM memory, which detaches the views taken before
  const source = backend.typedArrayFromHeap(lines) as Float32Array;
  const target = backend.typedArrayFromHeap(info) as Float32Array;
  let to = 0;
  for (let kx = 0; kx < k; kx++)
    for (let line = 0; line < rows * channels; line++)
      for (let j = 0; j < columns; j++, to += count) {
        const column = stride * j + kx - padding;
        if (column < 0 || column >= width) target.fill(0, to, to + count);
        else {
          const from = (line * width + column) * count;
          for (let n = 0; n < count; n++) target[to + n] = source[from + n]!;
        }
      }
  return tf.engine().makeTensorFromTensorInfo(info);
}
