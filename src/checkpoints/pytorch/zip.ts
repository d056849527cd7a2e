import { malformed, quoted } from "./malformed.ts";

/** One per storage, and a handful more. */
const MAX_ENTRIES = 100_000;

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const END_64_LOCATOR = 0x07064b50;
const STORED = 0;
const ENCRYPTED = 1;
/** In a 32-bit field: the value is in the zip64 extra field. */
const IN_EXTRA = 0xffffffff;

/** Returns whether the bytes start as a zip archive does, with the header of an entry. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === LOCAL_HEADER;
}

/**
 * Returns the entries of a zip archive by name, as views of it. They must be stored, not compressed, as `torch.save`
 * writes them: then nothing can come out of the archive that is larger than it.
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (zip64 in 4.3.14 to 4.5.3)
 * @throws CollapsarError `malformed-checkpoint` that names the entry which is compressed or encrypted, leaves its folder,
 *   overlaps another or ends outside the file; or says that the archive is truncated.
 */
export function readStoredEntries(file: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const directory = findDirectory(file);
  const entries = [...readDirectory(file, directory)].map((entry) => withContent(file, entry));
  checkLayout(entries, directory.offset);
  const byName = new Map<string, Uint8Array>();
  for (const { name, start, end } of entries) {
    if (byName.has(name)) throw malformed(`the archive holds ${quoted(name)} twice`);
    byName.set(name, file.subarray(start, end));
  }
  return byName;
}

interface Directory {
  readonly offset: number;
  readonly end: number;
  readonly count: number;
}

interface Entry {
  readonly name: string;
  readonly header: number;
  readonly size: number;
}

/** An entry from its local header to the end of its content. */
interface LocatedEntry extends Entry {
  readonly start: number;
  readonly end: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns the bytes [start, start + length) that must begin with this signature. */
function record(file: Uint8Array, start: number, length: number, signature: number, what: string): DataView {
  if (start < 0 || length > file.length - start)
    throw malformed(`truncated: the archive's ${what} ends outside the file`);
  const view = viewOf(file.subarray(start, start + length));
  if (view.getUint32(0, true) !== signature) throw malformed(`the archive's ${what} is not where it should be`);
  return view;
}

function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The last record of the archive, without a comment as torch writes it, says where the directory is. */
function findDirectory(file: Uint8Array): Directory {
  const at = file.length - 22;
  const end = record(file, at, 22, END, "last record");
  const has64 = at >= 20 && viewOf(file).getUint32(at - 20, true) === END_64_LOCATOR;
  if (!has64)
    return checkDirectory(
      { offset: end.getUint32(16, true), end: at, count: end.getUint16(10, true) },
      end.getUint32(12, true),
    );
  const at64 = uint64(record(file, at - 20, 20, END_64_LOCATOR, "zip64 locator"), 8);
  const end64 = record(file, at64, 56, END_64, "zip64 record");
  return checkDirectory({ offset: uint64(end64, 48), end: at64, count: uint64(end64, 32) }, uint64(end64, 40));
}

function checkDirectory(directory: Directory, size: number): Directory {
  if (directory.offset + size !== directory.end)
    throw malformed("the archive's directory does not end where its last record starts");
  if (directory.count > MAX_ENTRIES)
    throw malformed(`the archive has ${directory.count} entries, at most ${MAX_ENTRIES}`);
  return directory;
}

function* readDirectory(file: Uint8Array, { offset, end, count }: Directory): Generator<Entry> {
  const directory = file.subarray(0, end);
  let at = offset;
  for (let i = 0; i < count; i++) {
    const header = record(directory, at, 46, CENTRAL_HEADER, `directory (entry ${i})`);
    const nameEnd = at + 46 + header.getUint16(28, true);
    const extraEnd = nameEnd + header.getUint16(30, true);
    if (extraEnd > end) throw malformed(`truncated: the archive's directory ends in entry ${i}`);
    const name = Buffer.from(directory.subarray(at + 46, nameEnd)).toString();
    checkName(name);
    checkStored(name, header);
    yield { name, ...placeOf(name, header, directory.subarray(nameEnd, extraEnd)) };
    at = extraEnd + header.getUint16(32, true);
  }
  if (at !== end) throw malformed(`${end - at} bytes follow the ${count} entries of the archive's directory`);
}

function checkName(name: string): void {
  if (/^\/|\\/.test(name) || name.split("/").includes(".."))
    throw malformed(`the archive holds ${quoted(name)}, a name that leaves its folder`);
}

function checkStored(name: string, header: DataView): void {
  if (header.getUint16(8, true) & ENCRYPTED) throw malformed(`the archive's ${quoted(name)} is encrypted`);
  if (header.getUint16(10, true) !== STORED) throw compressedEntry(name);
}

function compressedEntry(name: string): Error {
  return malformed(`the archive's ${quoted(name)} is compressed, which torch.save never does`);
}

/** Returns size and offset; where a 32-bit field is full, the next 64-bit one of the extra field 1 holds it. */
function placeOf(name: string, header: DataView, extra: Uint8Array): { size: number; header: number } {
  const long = zip64Values(extra);
  const [size, compressed, offset] = [24, 20, 42].map((field) => {
    const value = header.getUint32(field, true);
    const read = value === IN_EXTRA ? long.shift() : value;
    if (read === undefined) throw malformed(`the archive's ${quoted(name)} lacks its zip64 size or offset`);
    return read;
  });
  if (size !== compressed) throw compressedEntry(name);
  return { size: size!, header: offset! };
}

function zip64Values(extra: Uint8Array): number[] {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== 1 || end > extra.length) continue;
    return Array.from({ length: Math.floor((end - at - 4) / 8) }, (_, i) => uint64(view, at + 4 + 8 * i));
  }
  return [];
}

function withContent(file: Uint8Array, entry: Entry): LocatedEntry {
  const header = record(file, entry.header, 30, LOCAL_HEADER, `entry ${quoted(entry.name)}`);
  const start = entry.header + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  return { ...entry, start, end: start + entry.size };
}

/** Entries that share bytes would make more of a file than it holds. */
function checkLayout(entries: readonly LocatedEntry[], directoryOffset: number): void {
  let previous = { name: "", end: 0 };
  for (const entry of [...entries].sort((a, b) => a.header - b.header)) {
    if (entry.header < previous.end)
      throw malformed(`the archive's ${quoted(entry.name)} overlaps ${quoted(previous.name)}`);
    if (entry.end > directoryOffset)
      throw malformed(
        `the archive's ${quoted(entry.name)} ends at byte ${entry.end}, its directory starts at ${directoryOffset}`,
      );
    previous = entry;
  }
}
