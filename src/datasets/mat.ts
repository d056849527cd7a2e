import { inflateSync } from "node:zlib";
import { malformed } from "./malformed.ts";

/** A real array of a MAT-file: column-major, the first dimension runs fastest. */
export interface MatArray {
  readonly shape: readonly number[];
  readonly data: MatNumbers;
}

type MatNumbers =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

const HEADER_BYTES = 128;
const TAG_BYTES = 8;
const MATRIX = 14;
const COMPRESSED = 15;
const COMPLEX = 0x0800;

/** Element types (mi…) of numbers. */
const NUMBERS: Readonly<Record<number, new (buffer: ArrayBuffer) => MatNumbers>> = {
  1: Int8Array,
  2: Uint8Array,
  3: Int16Array,
  4: Uint16Array,
  5: Int32Array,
  6: Uint32Array,
  7: Float32Array,
  9: Float64Array,
};

/** Array classes (mx…) of numbers: double, single, and the integers up to 32 bits. */
const NUMERIC_CLASSES = { first: 6, last: 13 };

/** The images of SVHN's training set are 225 MB. */
const MAX_ARRAY_BYTES = 2 ** 30;

/** An element of the file: its type, its content, and where the next one starts. */
interface Element {
  readonly type: number;
  readonly content: Uint8Array;
  readonly next: number;
}

/**
 * Returns the real numeric arrays of a MAT-file of level 5 (`-v6`, `-v7`) by name; everything else in it is passed over.
 * Only files of little-endian machines are read.
 * Source: MathWorks, "MAT-File Format", https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf, chapter 1.
 * (The only reader on npm, `mat-for-js`, is under the GPL.)
 * @throws CollapsarError `malformed-dataset` that names `source` and what was expected.
 */
export function readMat(file: Uint8Array, source: string): ReadonlyMap<string, MatArray> {
  const start = Buffer.from(file.subarray(0, HEADER_BYTES)).toString("latin1");
  if (/^MATLAB 7\.3/.test(start)) throw malformed(source, "a MAT-file of version 7.3 (HDF5), expected level 5 (-v7)");
  if (!/^MATLAB 5\.0/.test(start) || !start.endsWith("\0\u0001IM"))
    throw malformed(source, "not a MAT-file of level 5 from a little-endian machine");
  const arrays = new Map<string, MatArray>();
  for (let at = HEADER_BYTES; at < file.length; ) {
    const element = readElement(file, at, source);
    const { type, content } = element.type === COMPRESSED ? inflateElement(element.content, source) : element;
    const array = type === MATRIX ? readMatrix(content, source) : null;
    if (array) arrays.set(array.name, array);
    at = element.next;
  }
  return arrays;
}

function inflateElement(compressed: Uint8Array, source: string): Element {
  let inflated: Uint8Array;
  try {
    inflated = inflateSync(compressed, { maxOutputLength: MAX_ARRAY_BYTES });
  } catch (cause) {
    throw malformed(source, "a compressed array is not whole", cause);
  }
  return readElement(inflated, 0, source);
}

/** Numbers that fit 4 bytes stand in the tag itself, whose first half then has their length above the type. */
function readElement(bytes: Uint8Array, at: number, source: string): Element {
  if (at + TAG_BYTES > bytes.length) throw malformed(source, `truncated: a tag at byte ${at} ends outside its element`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, TAG_BYTES);
  const [word, short] = [view.getUint32(0, true), view.getUint16(2, true)];
  if (short > 4) throw malformed(source, `a tag at byte ${at} promises ${short} bytes within itself, at most 4 fit`);
  const [type, size, start] =
    short > 0 ? [word & 0xffff, short, at + 4] : [word, view.getUint32(4, true), at + TAG_BYTES];
  if (size > bytes.length - start)
    throw malformed(source, `truncated: an element of ${size} bytes at byte ${at} ends outside the file`);
  // a compressed element is followed by the next at once, all others are padded to 8 bytes
  const next = short > 0 ? at + TAG_BYTES : type === COMPRESSED ? start + size : start + Math.ceil(size / 8) * 8;
  return { type, content: bytes.subarray(start, start + size), next };
}

/** Flags, dimensions, name and numbers follow each other; null for what is no real numeric array. */
function readMatrix(content: Uint8Array, source: string): (MatArray & { readonly name: string }) | null {
  const flags = readElement(content, 0, source);
  const numeric = flags.content[0]! >= NUMERIC_CLASSES.first && flags.content[0]! <= NUMERIC_CLASSES.last;
  if (!numeric || flags.content[1]! & (COMPLEX >> 8)) return null;
  const dimensions = readElement(content, flags.next, source);
  const label = readElement(content, dimensions.next, source);
  const numbers = readElement(content, label.next, source);
  const name = Buffer.from(label.content).toString("latin1");
  const shape = [...(numbersOf(dimensions, source) ?? [])];
  const data = numbersOf(numbers, source);
  const count = shape.reduce((product, length) => product * length, 1);
  if (shape.length < 2 || !shape.every((length) => length >= 0) || data.length !== count)
    throw malformed(source, `array "${name}" has ${data.length} numbers, expected ${shape.join("×") || "dimensions"}`);
  return { name, shape, data };
}

/** Returns a copy, which lies as its type must. */
function numbersOf({ type, content }: Element, source: string): MatNumbers {
  const Numbers = NUMBERS[type];
  if (!Numbers) throw malformed(source, `numbers of type ${type}, expected one of ${Object.keys(NUMBERS).join(", ")}`);
  const copy = new Uint8Array(content).buffer;
  const bytesPerNumber = new Numbers(new ArrayBuffer(0)).BYTES_PER_ELEMENT;
  if (copy.byteLength % bytesPerNumber !== 0)
    throw malformed(source, `${copy.byteLength} bytes of numbers of ${bytesPerNumber} bytes each`);
  return new Numbers(copy);
}
