import { CollapsarError } from "../errors.ts";
import type { Signature } from "../networks/graph.ts";
import type { ImageInput } from "./engine.ts";

/**
 * Returns mean and standard deviation of the pixels, per channel.
 * @throws CollapsarError `missing-metadata` where the network has none.
 */
export function requireNormalisation({ normalisation }: Signature): NonNullable<Signature["normalisation"]> {
  if (normalisation) return normalisation;
  throw new CollapsarError(
    "missing-metadata",
    "the checkpoint does not say how its pixels are normalised: give network mean and std, per channel, of pixel/255 (on the command line --network mean=0.5 --network std=0.25)",
  );
}

/** Returns `factor` and `shift` per channel with which `pixel·factor + shift = (pixel/255 − mean)/std`. */
export function pixelAffine(signature: Signature): { factor: Float64Array; shift: Float64Array } {
  const { mean, std } = requireNormalisation(signature);
  return {
    factor: Float64Array.from(std, (value) => 1 / (255 * value)),
    shift: Float64Array.from(mean, (value, channel) => -value / std[channel]!),
  };
}

/**
 * Checks that the network can take such images.
 * @throws CollapsarError `wrong-shape`, `missing-metadata`.
 */
export function requireFittingInput(signature: Signature, { kind, height, width }: ImageInput): void {
  const { size } = signature;
  if (size && (size.height !== height || size.width !== width))
    throw new CollapsarError(
      "wrong-shape",
      `the images are ${height}×${width}, the network takes ${size.height}×${size.width}`,
    );
  if (kind === "pixels") requireNormalisation(signature);
}
