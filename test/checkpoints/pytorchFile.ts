/** Files of torch.save written by hand, for what torch.save itself never writes. */

/** A byte, latin1 characters (an opcode is one) or bytes. */
export type Part = number | string | Uint8Array;

/** Returns the parts one after the other. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === "number" ? Buffer.of(part) : typeof part === "string" ? Buffer.from(part, "latin1") : part,
      ),
    ),
  );
}

/** Returns `value` in little-endian bytes. */
export function little(value: number | bigint, size: number): Uint8Array {
  const hex = BigInt.asUintN(8 * size, BigInt(value))
    .toString(16)
    .padStart(2 * size, "0");
  return new Uint8Array(Buffer.from(hex, "hex").reverse());
}

/** Returns the parts, `count` times. */
export function many(count: number, ...parts: readonly Part[]): Uint8Array {
  return bytes(
    Buffer.from(bytes(...parts))
      .toString("latin1")
      .repeat(count),
  );
}

/** Returns a pickle of protocol 2 around these operations. */
export function pickle(...operations: readonly Part[]): Uint8Array {
  return bytes("\x80\x02", ...operations, ".");
}

/** Pushes an int. */
export function int(value: number | bigint): Uint8Array {
  return bytes("\x8a", 9, little(value, 9));
}

/** Pushes a str. */
export function text(value: string): Uint8Array {
  const utf8 = Buffer.from(value);
  return bytes("X", little(utf8.length, 4), utf8);
}

/** Pushes a tuple. */
export function tuple(...items: readonly Part[]): Uint8Array {
  return bytes("(", ...items, "t");
}

/** Pushes a dict. */
export function dict(...items: readonly (readonly [string, Part])[]): Uint8Array {
  return bytes("}(", ...items.flatMap(([key, value]) => [text(key), value]), "u");
}

export interface TensorParts {
  readonly type?: string;
  readonly key?: string;
  readonly elements?: number | bigint;
  readonly offset?: number | bigint;
  readonly shape?: readonly (number | bigint)[];
  readonly strides?: readonly (number | bigint)[];
}

/** Pushes a storage: unless told otherwise that of four float32 numbers, "0". */
export function storage({ type = "FloatStorage", key = "0", elements = 4 }: TensorParts = {}): Uint8Array {
  return bytes(tuple(text("storage"), `ctorch\n${type}\n`, text(key), text("cpu"), int(elements)), "Q");
}

/** Pushes a tensor: unless told otherwise the four numbers of that storage. */
export function tensor(parts: TensorParts = {}): Uint8Array {
  const { offset = 0, shape = [4], strides = [1] } = parts;
  const sizes = (values: readonly (number | bigint)[]) => tuple(...values.map(int));
  const hooks = bytes("ccollections\nOrderedDict\n)R");
  return bytes(
    "ctorch._utils\n_rebuild_tensor_v2\n",
    tuple(storage(parts), int(offset), sizes(shape), sizes(strides), "\x89", hooks),
    "R",
  );
}

/** One entry of an archive, and where its headers are made to lie. */
export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says, where it is not the truth. */
  readonly size?: number;
  readonly compressedSize?: number;
  readonly offset?: number;
  /** Sizes and offset go to the extra field of zip64. */
  readonly zip64?: boolean;
}

/** Returns an archive as torch.save lays it out, without its alignment; with a zip64 end where an entry is zip64. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, content, method = 0, flags = 0, size = content.length, compressedSize = size, offset = at } = entry;
    const extra = entry.zip64
      ? bytes(
          little(0x4246, 2),
          little(0, 2),
          little(1, 2),
          little(24, 2),
          ...[size, compressedSize, offset].map((v) => little(v, 8)),
        )
      : bytes();
    const short = (value: number) => little(entry.zip64 ? -1 : value, 4);
    const common = [little(flags, 2), little(method, 2), little(0, 8), short(compressedSize), short(size)];
    const file = bytes("PK\x03\x04\0\0", ...common, little(name.length, 2), little(0, 2), name, content);
    files.push(file);
    directory.push(
      bytes(
        "PK\x01\x02\0\0\0\0",
        ...common,
        little(name.length, 2),
        little(extra.length, 2),
        little(0, 10),
        short(offset),
        name,
        extra,
      ),
    );
    at += file.length;
  }
  const size = directory.reduce((sum, header) => sum + header.length, 0);
  const zip64 = entries.some((entry) => entry.zip64);
  const end64 = zip64
    ? bytes(
        "PK\x06\x06",
        little(44, 8),
        little(0, 12),
        ...[entries.length, entries.length, size, at].map((v) => little(v, 8)),
        "PK\x06\x07",
        little(0, 4),
        little(at + size, 8),
        little(1, 4),
      )
    : bytes();
  const last = [entries.length, entries.length].map((v) => little(zip64 ? -1 : v, 2));
  const place = [size, at].map((v) => little(zip64 ? -1 : v, 4));
  return bytes(...files, ...directory, end64, "PK\x05\x06", little(0, 4), ...last, ...place, little(0, 2));
}

/** Returns a file whose pickle is that, with four float32 numbers in storage "0". */
export function archive(pickled: Uint8Array, ...more: readonly ZipEntry[]): Uint8Array {
  return zip([{ name: "a/data.pkl", content: pickled }, { name: "a/data/0", content: FOUR }, ...more]);
}

/** The four numbers 1, 2, 3, 4 as float32. */
export const FOUR = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** Returns a legacy file whose pickle is that, with four float32 numbers in the storages `keys` (each with its elements). */
export function legacy(
  pickled: Uint8Array,
  { keys = ["0"], elements = 4, magic = 0x1950a86a20f9469cfc6cn, version = 1001, littleEndian = true } = {},
): Uint8Array {
  return bytes(
    pickle("\x8a\x0a", little(magic, 10)),
    pickle(int(version)),
    pickle(dict(["little_endian", littleEndian ? "\x88" : "\x89"])),
    pickled,
    pickle("](", ...keys.map(text), "e"),
    ...keys.flatMap(() => [little(elements, 8), FOUR]),
  );
}
