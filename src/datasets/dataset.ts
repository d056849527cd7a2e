/** Labelled images of one size, in a fixed order, read by ranges so that none need be in memory at once. */
export interface Dataset {
  /** As results name it: `digits`, `digits:test`, or the base name of a file without its extension. */
  readonly name: string;
  /**
   * sha256 (hex) of element type, shape, images and labels: the same content has the same digest wherever it lies. That
   * of a subset is derived from the whole's digest and the name of the part.
   */
  readonly digest: string;
  readonly length: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** `pixels`: uint8 N×H×W×C. `normalised`: float32 N×C×H×W, taken as already normalised. */
  readonly kind: "pixels" | "normalised";
  /** One per image, or null where the set has none (an out-of-distribution set needs none). */
  readonly labels: Int32Array | null;
  /** Returns images `start` to `end` (exclusive) in order, to be read only: it may be a view. */
  read(start: number, end: number): Promise<Uint8Array | Float32Array>;
}
