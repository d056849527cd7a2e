import type { DType } from "../checkpoint.ts";

/** A Python dict; only its string keys are kept, no other is ever looked up. */
export type Dict = Map<string, PickleValue>;

/** What a pickle may hold. Lists, tuples and sets are arrays. Values are shared by reference, as in Python. */
export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleValue[] | Dict | Known;

/** The Python objects we know, without their behaviour. */
export type Known = Callable | StorageType | Storage | StoredTensor | NumpyType | Latin1Bytes | Opaque;

/** A class or function that a pickle may call: in our own words, never Python's. */
export interface Callable {
  readonly kind: "callable";
  readonly call: (args: readonly PickleValue[]) => PickleValue;
}

/** `torch.FloatStorage` and its like. */
export interface StorageType {
  readonly kind: "storage-type";
  readonly dtype: DType;
}

/** Numbers that lie outside the pickle, under `key`. */
export interface Storage {
  readonly kind: "storage";
  readonly dtype: DType;
  readonly key: string;
  readonly elements: number;
}

/** A tensor as pickled: a strided view of a storage, in elements. Nothing is checked against the storage yet. */
export interface StoredTensor {
  readonly kind: "tensor";
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A numpy dtype by its code, such as `f8`. */
export interface NumpyType {
  readonly kind: "numpy-type";
  readonly code: string;
}

/** Bytes as protocol 2 pickles them: a string whose characters are the bytes. */
export interface Latin1Bytes {
  readonly kind: "latin1-bytes";
  readonly text: string;
}

/** A value that is allowed and never looked at: a dtype, a device. */
export interface Opaque {
  readonly kind: "opaque";
}

/** Returns whether `value` is one of the known Python objects, of that kind. */
export function isKind<K extends Known["kind"]>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<Known, { kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

/** Returns `value` as a number where a double holds it exactly. */
export function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Returns whether `value` is a whole number from 0 that a double holds exactly: a length, an offset. */
export function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
