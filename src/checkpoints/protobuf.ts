import protobuf from "protobufjs";

/** The wire type of bytes, strings and messages inside messages. */
const LENGTH_DELIMITED = 2;

/**
 * Returns the parts of a message (or of bytes) as the field of that number of another one. Large arrays are written so,
 * without a copy: protobufjs copies them again and again as its buffer grows, 200 MB for a file of 100 MB.
 */
export function delimitedField(number: number, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return [
    protobuf.Writer.create()
      .uint32((number << 3) | LENGTH_DELIMITED)
      .uint32(length)
      .finish(),
    ...parts,
  ];
}

/** Returns the bytes of an array of numbers, in the machine's order; not a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
