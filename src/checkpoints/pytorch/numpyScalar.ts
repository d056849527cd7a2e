import { malformed, quoted } from "./malformed.ts";
import { isKind, type Known, narrow, type PickleValue } from "./values.ts";

type Read = (view: DataView) => number | bigint | boolean;

/** How to read the scalars of a type, little-endian, by numpy's code, whose digit is their bytes. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["f8", (view) => view.getFloat64(0, true)],
  ["f4", (view) => view.getFloat32(0, true)],
  ["i8", (view) => narrow(view.getBigInt64(0, true))],
  ["i4", (view) => view.getInt32(0, true)],
  ["i2", (view) => view.getInt16(0, true)],
  ["i1", (view) => view.getInt8(0)],
  ["u1", (view) => view.getUint8(0)],
  ["b1", (view) => view.getUint8(0) !== 0],
]);

/**
 * Returns the numpy type that `numpy.dtype(code, …)` makes.
 * @throws CollapsarError `malformed-checkpoint` where it is no number or boolean.
 */
export function numpyType([code]: readonly PickleValue[]): Known {
  if (typeof code !== "string" || !READERS.has(code))
    throw malformed(
      `the pickle holds a numpy value of type ${typeof code === "string" ? quoted(code) : "unknown"}, expected ${[...READERS.keys()].join(", ")}`,
    );
  return { kind: "numpy-type", code };
}

/**
 * Checks the state that a pickle sets on a numpy type: (version, byte order, …).
 * @throws CollapsarError `malformed-checkpoint` where the byte order is not little-endian.
 */
export function numpyTypeState(state: PickleValue): void {
  const order = Array.isArray(state) ? state[1] : undefined;
  if (order !== "<" && order !== "|") throw malformed("the pickle holds a numpy value that is not little-endian");
}

/**
 * Returns the number or boolean that `numpy.core.multiarray.scalar(type, bytes)` makes.
 * @throws CollapsarError `malformed-checkpoint` where the bytes are not of that type.
 */
export function numpyScalar([type, content]: readonly PickleValue[]): PickleValue {
  if (!isKind(type, "numpy-type")) throw malformed("the pickle makes a numpy value of something that is no numpy type");
  const size = Number(type.code.at(-1));
  const bytes = isKind(content, "latin1-bytes") ? latin1(content.text, size) : content;
  if (!(bytes instanceof Uint8Array) || bytes.length !== size)
    throw malformed(`the pickle makes a numpy value of type ${type.code} of something else than ${size} bytes`);
  return READERS.get(type.code)!(new DataView(bytes.buffer, bytes.byteOffset, size));
}

function latin1(text: string, size: number): Uint8Array | null {
  return text.length === size ? Uint8Array.from(text, (character) => character.charCodeAt(0)) : null;
}
