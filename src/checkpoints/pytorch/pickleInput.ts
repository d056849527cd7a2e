import { malformed } from "./malformed.ts";
import { narrow } from "./values.ts";

/** Of strings there are no more than bytes. */
const MAX_PICKLE_BYTES = 32 * 2 ** 20;
const MAX_LINE_BYTES = 1024;
/** Of one string, so that none reaches the engine's own limit, which is no CollapsarError. */
const MAX_STRING_BYTES = 2 ** 20;

// ignoreBOM: keep the mark, it is part of the string
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a pickle, read from front to back; reading past the end is a CollapsarError `malformed-checkpoint`. */
export class PickleInput {
  /** Index in the file of the next byte to be read. */
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** The pickle starts at byte `start` of `file`. */
  constructor(file: Uint8Array, start: number) {
    this.#bytes = file.subarray(0, start + MAX_PICKLE_BYTES);
    this.#view = new DataView(file.buffer, file.byteOffset, this.#bytes.length);
    this.position = start;
  }

  #advance(length: number): number {
    const start = this.position;
    const left = this.#bytes.length - start;
    if (length > left)
      throw malformed(
        `truncated: the pickle needs ${length} bytes at byte ${start} and has ${left} (it may take ${MAX_PICKLE_BYTES} in all)`,
      );
    this.position += length;
    return start;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A length; one that a double does not hold exactly is longer than any file anyway. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Big-endian, unlike all else in a pickle. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Python's int of any size: little-endian, two's complement. A number where a double holds it exactly. */
  long(length: number): number | bigint {
    if (length === 0) return 0;
    const hex = Buffer.from(this.bytes(length)).reverse().toString("hex");
    return narrow(BigInt.asIntN(8 * length, BigInt(`0x${hex}`)));
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(length: number): string {
    if (length > MAX_STRING_BYTES)
      throw malformed(`the pickle holds a string of ${length} bytes, at most ${MAX_STRING_BYTES}`);
    return decode(this.bytes(length));
  }

  /** The text up to the next line feed, which is read too. */
  line(): string {
    const length = this.#bytes.subarray(this.position, this.position + MAX_LINE_BYTES).indexOf(0x0a);
    if (length < 0) throw malformed(`the pickle holds a name that does not end within ${MAX_LINE_BYTES} bytes`);
    const text = decode(this.bytes(length));
    this.position += 1;
    return text;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed("the pickle holds a string that is not UTF-8");
  }
}
