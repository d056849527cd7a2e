import fc from "fast-check";

/** One change to a file: what is done, where (as a share of the reach), and with which bytes. */
interface Change {
  readonly kind: "flip" | "overwrite" | "insert" | "remove" | "repeat" | "truncate";
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** Numbers that break arithmetic where a length, an offset or a count is read. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 2 ** 53, 2 ** 63, 2 ** 64 - 1].map(
  (value) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    return bytes;
  },
);

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("flip", "flip", "flip", "overwrite", "overwrite", "insert", "remove", "repeat", "truncate"),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.integer({ min: 1, max: 64 }),
  bytes: fc.oneof(fc.constantFrom(...NASTY), fc.uint8Array({ minLength: 1, maxLength: 8 })),
});

/** What is done to one file. Half of them are hit in their first bytes, where headers are, or in their last. */
const mutation = fc.record({
  reach: fc.constantFrom<"all" | "start" | "end">("all", "all", "start", "end"),
  changes: fc.array(change, { minLength: 1, maxLength: 4 }),
});

/** Yields `count` broken copies of `file`, the same for the same seed. */
export function* mutations(file: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  for (const { reach, changes } of fc.sample(mutation, { numRuns: count, seed })) {
    let bytes = file;
    for (const one of changes) bytes = apply(bytes, one, reach);
    yield bytes;
  }
}

function apply(file: Uint8Array, { kind, at, length, bytes }: Change, reach: "all" | "start" | "end"): Uint8Array {
  const span = reach === "all" ? file.length : Math.min(file.length, 2048);
  const from = Math.floor(at * span) + (reach === "end" ? file.length - span : 0);
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  switch (kind) {
    case "flip":
      return from < file.length ? file.with(from, file[from]! ^ (1 << (length % 8))) : file;
    case "overwrite":
      return join(file.subarray(0, from), bytes, file.subarray(from + bytes.length));
    case "insert":
      return join(file.subarray(0, from), bytes, file.subarray(from));
    case "remove":
      return join(file.subarray(0, from), file.subarray(from + length));
    case "repeat":
      return join(file.subarray(0, from + length), file.subarray(from));
    case "truncate":
      return file.slice(0, from);
  }
}
