import type { TrainingKernels } from "../kernels.ts";
import { batchNorm, batchNormGradient } from "./batchNorm.ts";
import { convFilterGradient, convInputGradient } from "./convGradients.ts";

/** The kernels of the WASM backend. */
export const WASM_KERNELS: TrainingKernels = { convInputGradient, convFilterGradient, batchNorm, batchNormGradient };
