import { CollapsarError } from "../errors.ts";
import type { ImageArrays } from "./inMemory.ts";
import type { SourceFile } from "./localFiles.ts";
import { malformed } from "./malformed.ts";
import { readMat } from "./mat.ts";

const SIDE = 32;
const CHANNELS = 3;
const DIGITS = 10;

/**
 * Returns the images of SVHN's cropped digits: `X`, 32×32×3×N bytes, column-major, and `y`, N labels 1 … 10. As in
 * torchvision label 10, the digit 0, becomes class 0.
 * Source: "Format 2" on http://ufldl.stanford.edu/housenumbers.
 * @throws CollapsarError `malformed-dataset` that names the array and what was expected, `invalid-label`.
 */
export function decodeSvhn([file]: readonly SourceFile[]): ImageArrays {
  const { bytes, source } = file!;
  const arrays = readMat(bytes, source);
  const [x, y] = [arrays.get("X"), arrays.get("y")];
  if (!x || !y) throw malformed(source, `there is no array ${x ? '"y"' : '"X"'}, expected the cropped digits`);
  const [height, width, channels, length = 1] = x.shape;
  if (!(x.data instanceof Uint8Array) || height !== SIDE || width !== SIDE || channels !== CHANNELS || length === 0)
    throw malformed(source, `array "X" is ${x.shape.join("×")}, expected 32×32×3×N bytes`);
  if (y.data.length !== length) throw malformed(source, `${y.data.length} labels for ${length} images`);
  return {
    images: toRows(x.data, length),
    labels: Int32Array.from(y.data, (label, image) => {
      if (Number.isInteger(label) && label >= 0 && label <= DIGITS) return label % DIGITS;
      throw new CollapsarError("invalid-label", `${source}: label ${label} of image ${image}, expected 1 to ${DIGITS}`);
    }),
    ...{ length, height, width, channels },
  };
}

/** Returns pixels h + 32·(w + 32·(c + 3·n)) as N×H×W×C. */
function toRows(columns: Uint8Array, length: number): Uint8Array {
  const rows = new Uint8Array(columns.length);
  let from = 0;
  for (let n = 0; n < length; n++)
    for (let c = 0; c < CHANNELS; c++)
      for (let w = 0; w < SIDE; w++)
        for (let h = 0; h < SIDE; h++) rows[((n * SIDE + h) * SIDE + w) * CHANNELS + c] = columns[from++]!;
  return rows;
}
