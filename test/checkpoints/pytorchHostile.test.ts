import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPytorchLegacy, isPytorchZip } from "../../src/checkpoints/pytorch/readPytorch.ts";
import { archive, bytes, dict, FOUR, legacy, little, pickle, tensor, type ZipEntry, zip } from "./pytorchFile.ts";
import { refusal, refuses } from "./pytorchRefusal.ts";

const FILES = new URL("../fixtures/torch/checkpoints/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FILES)));

const good = pickle(dict(["w", tensor()]));
const goodEntries: readonly ZipEntry[] = [
  { name: "a/data.pkl", content: good },
  { name: "a/data/0", content: FOUR },
];

it("reads the file that the hostile ones below are made of", () => {
  expect(refusal(archive(good))).toBe(null);
  expect(refusal(legacy(good))).toBe(null);
});

describe("an archive that torch.save cannot have written is refused", () => {
  const bomb = { name: "a/data/1", content: bytes(), method: 8, size: 2 ** 31, compressedSize: 0 };
  const entries = (...more: readonly ZipEntry[]) => zip([...goodEntries, ...more]);
  const first = goodEntries[0]!;
  const whole = archive(good);
  const nested = entries(
    { name: "a/data/1", content: zip([{ name: "a/x", content: FOUR }]).subarray(0, 37 + 16) },
    { name: "a/x", content: FOUR, offset: 30 + 10 + good.length + 30 + 8 + FOUR.length + 30 + 8 },
  );
  const changed = (at: number, value: number) => {
    const copy = whole.slice();
    copy[copy.length + at] = value;
    return copy;
  };
  const named = (name: string) => entries({ name, content: FOUR });
  refuses([
    ["a compressed entry", entries(bomb), /"a\/data\/1" is compressed, which torch\.save never does/],
    ["a stored entry of two sizes", entries({ ...bomb, method: 0 }), /"a\/data\/1" is compressed/],
    ["an encrypted entry", entries({ ...bomb, method: 0, flags: 1 }), /"a\/data\/1" is encrypted/],
    ["a name that climbs", named("a/../../etc/passwd"), /"a\/\.\.\/\.\.\/etc\/passwd", a name that leaves its folder/],
    ["an absolute name", named("/etc/passwd"), /"\/etc\/passwd", a name that leaves/],
    ["a name of Windows", named("a\\..\\b"), /a name that leaves its folder/],
    ["a name in another folder", named("b/data/0"), /"b\/data\/0" outside its folder "a"/],
    ["a name in no folder", named("data"), /"data" outside its folder "a"/],
    ["a name twice", named("a/data/0"), /"a\/data\/0" twice/],
    ["two entries on the same bytes", entries({ ...first, name: "a/x", offset: 0 }), /"a\/x" overlaps "a\/data\.pkl"/],
    ["an entry inside another", nested, /"a\/x" overlaps "a\/data\/1"/],
    [
      "an entry that reaches into the directory",
      zip([first, { ...goodEntries[1]!, size: 100 }]),
      /"a\/data\/0" ends at byte \d+, its directory starts at/,
    ],
    ["an entry of 4 GiB", zip([first, { ...goodEntries[1]!, size: 2 ** 32 - 2 }]), /"a\/data\/0" ends at byte/],
    [
      "an entry of 2^60 bytes",
      zip([first, { ...goodEntries[1]!, size: 2 ** 60, zip64: true }]),
      /"a\/data\/0" ends at byte/,
    ],
    [
      "an entry outside the file",
      zip([first, { ...goodEntries[1]!, offset: 2 ** 31 }]),
      /entry "a\/data\/0" ends outside the file/,
    ],
    [
      "an entry without its zip64 size",
      zip([first, { ...goodEntries[1]!, size: 2 ** 32 - 1 }]),
      /"a\/data\/0" lacks its zip64 size/,
    ],
    ["no data.pkl", zip([{ name: "a/data/0", content: FOUR }]), /no entry "a\/data\.pkl"/],
    ["no entries", bytes("PK\x03\x04PK\x05\x06", little(0, 12), little(4, 4), little(0, 2)), /has no entry/],
    ["big-endian numbers", entries({ name: "a/byteorder", content: bytes("big") }), /not little-endian/],
    ["a comment", bytes(whole, "x"), /last record is not where it should be/],
    ["no directory", whole.subarray(0, 100), /last record is not where it should be/],
    ["two bytes", bytes("PK\x03\x04"), /truncated: the archive's last record/],
    ["more entries than it lists", changed(-12, 3), /directory \(entry 2\) (ends outside|is not where)/],
    ["fewer entries than it lists", changed(-12, 1), /bytes follow the 1 entries/],
    ["a directory elsewhere", changed(-6, 1), /directory does not end where/],
    [
      "more entries than a network has",
      zip([{ ...first, zip64: true }]).map((v, i, all) => (i === all.length - 22 - 20 - 56 + 34 ? 255 : v)),
      /entries, at most 100000/,
    ],
  ]);
});

describe("a legacy file that torch.save cannot have written is refused", () => {
  refuses([
    ["another magic number", legacy(good, { magic: 5n }), /neither a zip archive nor/],
    ["a plain pickle", good, /neither a zip archive nor/],
    ["another version", legacy(good, { version: 1002 }), /version must be 1001/],
    ["big-endian numbers", legacy(good, { littleEndian: false }), /not little-endian/],
    [
      "a storage that no tensor has",
      legacy(good, { keys: ["1"] }),
      /lists the storage "1", which the pickle does not know/,
    ],
    ["a storage that is missing", legacy(good, { keys: [] }), /is in storage "0", which the file lacks/],
    ["a storage of other length", legacy(good, { elements: 3 }), /must have 16 bytes and has 12/],
    [
      "a storage longer than the file",
      legacy(good, { elements: 5 }),
      /truncated: storage "0" takes 20 bytes, 16 are left/,
    ],
    ["a storage of negative length", legacy(good, { elements: -1 }), /truncated: storage "0" takes -4 bytes/],
    ["a storage of 2^62 numbers", legacy(good, { elements: 2 ** 62 }), /truncated: storage "0"/],
    ["nothing after the magic number", legacy(good).subarray(0, 15), /truncated/],
  ]);
});

describe("a damaged file", () => {
  const names = readdirSync(FILES).filter((name) => /^(layouts|training\.protocol[25]).*\.pt$/.test(name));

  it.each(names)("is refused at whatever byte it ends: %s", (name) => {
    const whole = file(name);
    const lengths = Array.from({ length: 300 }, (_, i) => Math.floor((i * whole.length) / 300));
    for (const length of [...lengths, whole.length - 1])
      expect(refusal(whole.subarray(0, length)), `${length}`).not.toBe(null);
  });

  it.each(names)("is read or refused, whatever bytes are changed, doubled or lost: %s", (name) => {
    const whole = file(name);
    const position = fc.integer({ min: 0, max: whole.length - 1 });
    const edits = fc.array(fc.tuple(fc.constantFrom("set", "double", "lose"), position, fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(edits, (list) => {
        let damaged: Uint8Array = whole.slice();
        for (const [kind, at, value] of list) {
          if (kind === "set") damaged[at % damaged.length] = value;
          if (kind === "double") damaged = bytes(damaged.subarray(0, at + value), damaged.subarray(at));
          if (kind === "lose") damaged = bytes(damaged.subarray(0, at), damaged.subarray(at + value));
          if (damaged.length === 0) return;
        }
        isPytorchZip(damaged);
        isPytorchLegacy(damaged);
        refusal(damaged);
      }),
      { numRuns: 1000 },
    );
  });
});
