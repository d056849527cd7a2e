import type { DType, Tensor } from "../checkpoints/checkpoint.ts";
import { decodeTensor } from "../checkpoints/safetensors.ts";
import { malformed } from "./malformed.ts";

const MAGIC = "\x93NUMPY";

/** NumPy's element types that are read, all little-endian. */
const DTYPES: Readonly<Record<string, { readonly dtype: DType; readonly bytes: number }>> = {
  "|u1": { dtype: "U8", bytes: 1 },
  "|i1": { dtype: "I8", bytes: 1 },
  "<i2": { dtype: "I16", bytes: 2 },
  "<i4": { dtype: "I32", bytes: 4 },
  "<i8": { dtype: "I64", bytes: 8 },
  "<f4": { dtype: "F32", bytes: 4 },
  "<f8": { dtype: "F64", bytes: 8 },
};

/**
 * Returns the array of an NPY file, row-major.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. (The package `npyjs` checks no length and
 * brings an HTTP client.)
 * @throws CollapsarError `malformed-dataset` that names `source` and what was expected.
 */
export function readNpy(bytes: Uint8Array, source: string): Tensor {
  const [version] = bytes.subarray(6);
  if (Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== MAGIC || !version || version > 3)
    throw malformed(source, "not an NPY array of version 1 to 3");
  const lengthBytes = version === 1 ? 2 : 4;
  const headerStart = 8 + lengthBytes;
  if (bytes.length < headerStart) throw malformed(source, "truncated: it ends in its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerStart);
  const headerEnd = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headerEnd > bytes.length) throw malformed(source, "truncated: it ends in its header");
  const { dtype, bytesPerElement, shape } = parseHeader(bytes.subarray(headerStart, headerEnd), source);
  const expected = shape.reduce((product, length) => product * length, bytesPerElement);
  const data = bytes.subarray(headerEnd);
  if (data.length !== expected)
    throw malformed(source, `${data.length} bytes of data, expected ${expected} for ${shape.join("×")}`);
  return { dtype, shape, data: decodeTensor(dtype, data) };
}

/** The header is the literal of a Python dict, which NumPy writes in one form. */
function parseHeader(bytes: Uint8Array, source: string) {
  const header = Buffer.from(bytes).toString("latin1");
  const [, descr] = /'descr': '([^']+)'/.exec(header) ?? [];
  const [, order] = /'fortran_order': (True|False)/.exec(header) ?? [];
  const [, lengths] = /'shape': \(([\d, ]*)\)/.exec(header) ?? [];
  if (descr === undefined || order === undefined || lengths === undefined)
    throw malformed(source, "its header names no descr, fortran_order and shape");
  const type = DTYPES[descr];
  if (!type) throw malformed(source, `elements of type "${descr}", expected one of ${Object.keys(DTYPES).join(", ")}`);
  if (order === "True") throw malformed(source, "its order is Fortran's, expected C's (numpy.ascontiguousarray)");
  const shape = lengths.split(",").map((length) => length.trim());
  const sizes = shape.filter((length) => length !== "").map(Number);
  return { dtype: type.dtype, bytesPerElement: type.bytes, shape: sizes };
}
