import { endianness } from "node:os";
import { z } from "zod";
import { CollapsarError } from "../errors.ts";
import type { Checkpoint, DType, Tensor } from "./checkpoint.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "./halfPrecision.ts";

/** Limits of the format's reference implementation, and ours where it has none. */
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
const MAX_TENSORS = 100_000;
const MAX_DIMENSIONS = 8;

const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const tensorEntry = z.object({
  dtype: z.string(),
  shape: z.array(size).max(MAX_DIMENSIONS),
  data_offsets: z.tuple([size, size]),
});

/** Returns whether the bytes start as a safetensors file does: a header length below the limit, then `{`. */
export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  const length = bytes.length < 9 ? 0n : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return length > 0n && length <= MAX_HEADER_BYTES && bytes[8] === 0x7b;
}

/**
 * Returns the tensors and metadata of a safetensors file: 8 bytes little-endian header length, a JSON header, raw data.
 * F16 and BF16 are widened to float32. Source: https://huggingface.co/docs/safetensors/metadata_parsing
 * @throws CollapsarError `malformed-checkpoint` naming what is wrong: a truncated file, a header that is no JSON, an
 *   unknown element type, sizes that do not fit the shape, tensors that overlap, leave holes or end outside the file.
 */
export function readSafetensors(bytes: Uint8Array): Checkpoint {
  const headerEnd = headerEndOf(bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const { tensors, metadata } = parseHeader(bytes.subarray(LENGTH_BYTES, headerEnd), bytes.length - headerEnd);
  const data = bytes.subarray(headerEnd);
  const decoded = [...tensors].map(([name, { dtype, shape, begin, end }]) => {
    const values = decodeTensor(dtype, data.subarray(begin, end));
    return [name, { dtype, shape, data: values }] as const;
  });
  return { tensors: new Map(decoded), metadata };
}

/** Where the tensors of a safetensors file lie: offsets in bytes from the start of the file. */
export interface SafetensorsLayout {
  readonly tensors: ReadonlyMap<string, Placed>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Returns where the tensors of a safetensors file of `size` bytes lie, of which only the header is read.
 * @throws CollapsarError as `readSafetensors`.
 */
export async function readSafetensorsLayout(
  read: (start: number, end: number) => Promise<Uint8Array>,
  size: number,
): Promise<SafetensorsLayout> {
  const headerEnd = headerEndOf(await read(0, Math.min(LENGTH_BYTES, size)), size);
  const { tensors, metadata } = parseHeader(await read(LENGTH_BYTES, headerEnd), size - headerEnd);
  const placed = [...tensors].map(
    ([name, { dtype, shape, begin, end }]) =>
      [name, { dtype, shape, begin: headerEnd + begin, end: headerEnd + end }] as const,
  );
  return { tensors: new Map(placed), metadata };
}

/** Returns the bytes of a safetensors file that holds `tensors` in the given order, and `metadata`. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = [...tensors];
  const { header, size, layout } = planSafetensors(
    entries.map(([name, { shape, data }]) => ({ name, dtype: storedType(data), shape })),
    metadata,
  );
  const file = new Uint8Array(size);
  file.set(header);
  for (const [name, { data }] of entries)
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), layout.get(name)!.begin);
  return file;
}

/**
 * Returns the bytes of a safetensors file with `metadata` added to its own, which they win over; its tensors stay as they
 * are, to the bit. @throws CollapsarError as `readSafetensors`.
 */
export function withMetadata(bytes: Uint8Array, metadata: Readonly<Record<string, string>>): Uint8Array {
  const headerEnd = headerEndOf(bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const before = bytes.subarray(LENGTH_BYTES, headerEnd);
  const known = parseHeader(before, bytes.length - headerEnd).metadata;
  const entries = JSON.parse(new TextDecoder().decode(before));
  const header = headerOf({ ...entries, __metadata__: { ...known, ...metadata } });
  return Buffer.concat([header, bytes.subarray(headerEnd)]);
}

/** A safetensors file before its data: the bytes it starts with, its size, and where each tensor goes. */
export interface SafetensorsPlan {
  readonly header: Uint8Array;
  readonly size: number;
  /** Offsets in bytes from the start of the file. */
  readonly layout: ReadonlyMap<string, Placed>;
}

/** Returns the plan of a safetensors file with these tensors, in the given order, and `metadata`. */
export function planSafetensors(
  tensors: readonly { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsPlan {
  if (endianness() !== "LE") throw new CollapsarError("internal", "safetensors are written on little-endian machines");
  // without a prototype any name is a plain key, "__proto__" too
  const entries: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) entries.__metadata__ = metadata;
  const placed: [string, Placed][] = [];
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = shape.reduce((product, length) => product * length, BYTES_PER_ELEMENT[dtype]) + offset;
    entries[name] = { dtype, shape, data_offsets: [offset, end] };
    placed.push([name, { dtype, shape, begin: offset, end }]);
    offset = end;
  }
  const header = headerOf(entries);
  const headerEnd = header.length;
  const shift = ({ begin, end, ...rest }: Placed) => ({ ...rest, begin: begin + headerEnd, end: end + headerEnd });
  return {
    header,
    size: headerEnd + offset,
    layout: new Map(placed.map(([name, place]) => [name, shift(place)])),
  };
}

/** Returns the length and the JSON that a file starts with, filled with spaces so that the data are aligned. */
function headerOf(entries: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const headerEnd = LENGTH_BYTES + Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(headerEnd).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerEnd - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

/** A tensor's type, shape and bytes, `end` exclusive. */
export interface Placed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function malformed(what: string, cause?: unknown): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `not a valid safetensors file: ${what}`, { cause });
}

/** Returns where the header ends, from the first eight bytes of a file of `size` bytes. */
function headerEndOf(start: Uint8Array, size: number): number {
  if (start.length < LENGTH_BYTES) throw malformed(`${start.length} bytes, expected at least ${LENGTH_BYTES}`);
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw malformed(`its header would take ${length} bytes, at most ${MAX_HEADER_BYTES}`);
  const end = LENGTH_BYTES + Number(length);
  if (end > size) throw malformed(`truncated: the header ends at byte ${end}, the file at ${size}`);
  return end;
}

function parseHeader(json: Uint8Array, dataLength: number): SafetensorsLayout {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    throw malformed("its header is not JSON", cause);
  }
  if (header === null || typeof header !== "object" || Array.isArray(header))
    throw malformed("its header is not a JSON object");
  const { __metadata__, ...entries } = header as Record<string, unknown>;
  if (Object.keys(entries).length > MAX_TENSORS) throw malformed(`more than ${MAX_TENSORS} tensors`);
  const tensors = new Map(Object.entries(entries).map(([name, entry]) => [name, checkEntry(name, entry)]));
  checkLayout(tensors, dataLength);
  return { tensors, metadata: checkMetadata(__metadata__) };
}

function checkMetadata(metadata: unknown): Record<string, string> {
  const parsed = z.record(z.string(), z.string()).optional().safeParse(metadata);
  if (!parsed.success) throw malformed("__metadata__ must map strings to strings");
  return parsed.data ?? {};
}

function checkEntry(name: string, entry: unknown): Placed {
  const parsed = tensorEntry.safeParse(entry);
  if (!parsed.success) throw malformed(`tensor "${name}" needs dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets } = parsed.data;
  if (!Object.hasOwn(BYTES_PER_ELEMENT, dtype)) throw malformed(`tensor "${name}" has the unknown type "${dtype}"`);
  const [begin, end] = data_offsets;
  const expected = shape.reduce((product, length) => product * length, BYTES_PER_ELEMENT[dtype as DType]);
  if (end - begin !== expected)
    throw malformed(`tensor "${name}" (${dtype} ${shape.join("×")}) needs ${expected} bytes and has ${end - begin}`);
  return { dtype: dtype as DType, shape, begin, end };
}

function checkLayout(layout: ReadonlyMap<string, Placed>, dataLength: number): void {
  let at = 0;
  for (const [name, { begin, end }] of [...layout].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw malformed(`tensor "${name}" starts at byte ${begin} of the data, expected ${at}`);
    if (end > dataLength)
      throw malformed(`truncated: tensor "${name}" ends at byte ${end} of the data, which has ${dataLength}`);
    at = end;
  }
  if (at !== dataLength) throw malformed(`${dataLength - at} bytes follow the last tensor`);
}

/**
 * Returns the little-endian elements of a tensor as numbers: a view of the bytes where these lie as the type needs, else of
 * a copy; F16 and BF16 as float32. A copy of every tensor would double the peak memory of loading a network.
 */
export function decodeTensor(dtype: DType, raw: Uint8Array): Tensor["data"] {
  const { buffer, byteOffset } = raw.byteOffset % BYTES_PER_ELEMENT[dtype] === 0 ? raw : new Uint8Array(raw);
  const view = [buffer as ArrayBuffer, byteOffset, raw.length / BYTES_PER_ELEMENT[dtype]] as const;
  switch (dtype) {
    case "F64":
      return new Float64Array(...view);
    case "F32":
      return new Float32Array(...view);
    case "F16":
      return float16ToFloat32(new Uint16Array(...view));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(...view));
    case "I64":
      return new BigInt64Array(...view);
    case "I32":
      return new Int32Array(...view);
    case "I16":
      return new Int16Array(...view);
    case "I8":
      return new Int8Array(...view);
    case "U8":
    case "BOOL":
      return new Uint8Array(...view);
  }
}

/** The type written is that of the numbers held: a widened F16 tensor is written as F32. */
function storedType(data: Tensor["data"]): DType {
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Float32Array) return "F32";
  if (data instanceof BigInt64Array) return "I64";
  if (data instanceof Int32Array) return "I32";
  if (data instanceof Int16Array) return "I16";
  if (data instanceof Int8Array) return "I8";
  return "U8";
}
