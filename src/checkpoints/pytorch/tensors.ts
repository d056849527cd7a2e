import type { DType, Tensor } from "../checkpoint.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../halfPrecision.ts";
import { malformed, quoted } from "./malformed.ts";
import type { Storage, StoredTensor } from "./values.ts";

/** Arrays over the bytes of a storage; half precision as its bits. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<DType, unknown>;

type Elements = InstanceType<(typeof ARRAYS)[DType]>;

/** Returns the bytes that one element takes in a file. */
export function bytesOf(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/**
 * Returns the tensors, read from the bytes of the storages by key: views of them where they are in row-major order, else
 * copies, and widened copies of half precision. A tensor may repeat the numbers of its storage (stride 0) or share it with
 * others, so all copies together are bounded: by twice the file, which widening a whole file takes, and 1 MiB.
 * @throws CollapsarError `malformed-checkpoint` that names the tensor which lies outside its storage, or is too large.
 */
export function readTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  storages: ReadonlyMap<string, Uint8Array>,
  fileBytes: number,
): ReadonlyMap<string, Tensor> {
  const aligned = alignedStorages(storages);
  let copiesLeft = 2 * fileBytes + 2 ** 20;
  const read = new Map<string, Tensor>();
  for (const [name, stored] of tensors) {
    const fail = (what: string) => malformed(`tensor ${quoted(name)} (${describe(stored)}) ${what}`);
    checkStorage(stored, storages, fail);
    const elements = checkExtent(stored, fail);
    const copied = copiedBytes(stored, elements);
    if (copied > copiesLeft)
      throw fail(`takes ${copied} bytes of copies, more than a file of ${fileBytes} bytes can need`);
    copiesLeft -= copied;
    const { dtype } = stored.storage;
    const storage = aligned(stored.storage);
    const data = isRowMajor(stored)
      ? storage.subarray(stored.offset, stored.offset + elements)
      : gather(stored, storage, new ARRAYS[dtype](elements));
    read.set(name, { dtype, shape: stored.shape, data: widen(dtype, data) });
  }
  return read;
}

type Fail = (what: string) => Error;

function describe({ storage, shape }: StoredTensor): string {
  return `${storage.dtype} ${shape.join("×") || "scalar"}`;
}

/** Legacy files put storages at any byte: one copy of each, however many tensors share it. torch's zip files align them. */
function alignedStorages(storages: ReadonlyMap<string, Uint8Array>): (storage: Storage) => Elements {
  const copies = new Map<string, Uint8Array>();
  return ({ key, dtype, elements }) => {
    let bytes = copies.get(key) ?? storages.get(key)!;
    if (bytes.byteOffset % bytesOf(dtype) !== 0) {
      // not slice(), of which a Buffer makes a view
      bytes = new Uint8Array(bytes);
      copies.set(key, bytes);
    }
    return new ARRAYS[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, elements);
  };
}

function checkStorage({ storage }: StoredTensor, storages: ReadonlyMap<string, Uint8Array>, fail: Fail): void {
  const bytes = storages.get(storage.key);
  if (!bytes) throw fail(`is in storage ${quoted(storage.key)}, which the file lacks`);
  const expected = storage.elements * bytesOf(storage.dtype);
  if (bytes.length !== expected)
    throw fail(`is in storage ${quoted(storage.key)}, which must have ${expected} bytes and has ${bytes.length}`);
}

/** Returns the number of elements, all of which lie in the storage. No product of 8 such lengths overflows a double. */
function checkExtent({ storage, offset, shape, strides }: StoredTensor, fail: Fail): number {
  if (shape.length !== strides.length) throw fail(`has ${shape.length} dimensions and ${strides.length} strides`);
  const elements = shape.reduce((product, length) => product * length, 1);
  if (elements === 0) return 0;
  const last = shape.reduce((index, length, axis) => index + (length - 1) * strides[axis]!, offset);
  if (last >= storage.elements) throw fail(`ends at element ${last} of a storage of ${storage.elements}`);
  return elements;
}

function isRowMajor({ shape, strides }: StoredTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function copiedBytes(stored: StoredTensor, elements: number): number {
  const { dtype } = stored.storage;
  if (dtype === "F16" || dtype === "BF16") return 4 * elements;
  return isRowMajor(stored) ? 0 : bytesOf(dtype) * elements;
}

/** Fills `out` in row-major order: counts through the indices as an odometer does. */
function gather({ offset, shape, strides }: StoredTensor, storage: Elements, out: Elements): Elements {
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = storage[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function widen(dtype: DType, elements: Elements): Tensor["data"] {
  if (dtype === "F16") return float16ToFloat32(elements as Uint16Array);
  if (dtype === "BF16") return bfloat16ToFloat32(elements as Uint16Array);
  return elements as Tensor["data"];
}
