import { malformed } from "./malformed.ts";

const BLOCK = 512;
const CHECKSUM = { from: 148, to: 156 };
const REGULAR = new Set(["0", "\0", ""]);

/**
 * Returns the regular files of a tar archive (ustar) by name, as views of it. Everything else in it is passed over.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". The packages for it on npm loop for ever on a negative size, or bring
 * streams of their own.
 * @throws CollapsarError `malformed-dataset` that names the header which is no header, or the file that is cut off.
 */
export function readTar(bytes: Uint8Array, source: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (octal(header, CHECKSUM.from, CHECKSUM.to) !== checksumOf(header))
      throw malformed(source, `not a tar archive: the checksum of the header at byte ${at} is not right`);
    const [name, prefix] = [text(header, 0, 100), text(header, 345, 500)];
    const size = octal(header, 124, 136);
    const start = at + BLOCK;
    if (!(size <= bytes.length - start)) throw malformed(source, `truncated: ${name} ends outside the archive`);
    if (REGULAR.has(text(header, 156, 157)))
      files.set(prefix ? `${prefix}/${name}` : name, bytes.subarray(start, start + size));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** The sum of the header's bytes, those of the checksum itself taken as spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= CHECKSUM.from && i < CHECKSUM.to ? 0x20 : byte), 0);
}

function text(header: Uint8Array, from: number, to: number): string {
  return Buffer.from(header.subarray(from, to)).toString("latin1").replace(/\0.*/s, "");
}

/** NaN where the field is no octal number. */
function octal(header: Uint8Array, from: number, to: number): number {
  const digits = text(header, from, to).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
