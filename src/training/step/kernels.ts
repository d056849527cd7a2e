import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";

/** Stride and zero padding of a convolution, the same along height and width. */
export interface ConvGeometry {
  readonly stride: number;
  readonly padding: number;
}

/** A batch norm in training mode: its output, and mean and biased variance of the batch per channel. */
export interface BatchNormed {
  readonly output: Tensor4D;
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/**
 * What a training step needs of a backend beyond TensorFlow.js's own operations, which lack it or are slow at it. Maps are
 * N×H×W×C, filters k×k×in×out; every tensor returned is new.
 */
export interface TrainingKernels {
  /** Returns the gradient with respect to the convolution's input, of shape `inputShape`. */
  convInputGradient(gradient: Tensor4D, filter: Tensor4D, inputShape: Shape4D, geometry: ConvGeometry): Tensor4D;
  /** Returns the gradient with respect to the convolution's k×k filter. */
  convFilterGradient(x: Tensor4D, gradient: Tensor4D, k: number, geometry: ConvGeometry): Tensor4D;
  /** Returns `(x − mean)/√(variance + ε)·scale + offset` with the batch's own mean and variance, and those. */
  batchNorm(x: Tensor4D, scale: Tensor1D, offset: Tensor1D): BatchNormed;
  /** Returns the gradients with respect to x, scale and offset, those of mean and variance included. */
  batchNormGradient(
    gradient: Tensor4D,
    x: Tensor4D,
    scale: Tensor1D,
    statistics: BatchNormed,
  ): readonly [Tensor4D, Tensor1D, Tensor1D];
}

export type Shape4D = readonly [number, number, number, number];
