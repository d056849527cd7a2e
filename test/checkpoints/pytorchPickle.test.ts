import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPytorch } from "../../src/checkpoints/pytorch/readPytorch.ts";
import {
  archive,
  bytes,
  dict,
  int,
  little,
  many,
  type Part,
  pickle,
  storage,
  type TensorParts,
  tensor,
  text,
  tuple,
} from "./pytorchFile.ts";
import { type Case, refusal, refuses } from "./pytorchRefusal.ts";

const FILES = new URL("../fixtures/torch/checkpoints/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FILES)));

describe("a pickle that asks for more than tensors is refused by name, and nothing is executed", () => {
  const asks = (name: string) => new RegExp(`the pickle asks for "${name.replaceAll(".", "\\.")}": only tensors`);
  refuses([
    ["os.system in a zip file of PyTorch", file("hostile.system.zip.pt"), asks("posix.system")],
    ["os.system in a legacy file of PyTorch", file("hostile.system.legacy.pt"), asks("posix.system")],
    ["eval", file("hostile.eval.pt"), asks("builtins.eval")],
    ["the options of a training script", file("namespace.pt"), asks("argparse.Namespace")],
    ["a whole module", file("module.pt"), asks("torch.nn.modules.linear.Linear")],
    ["complex numbers", file("complex.pt"), asks("torch.ComplexFloatStorage")],
    ["os.system", archive(pickle("cos\nsystem\n", text("touch executed"), "\x85R")), asks("os.system")],
    ["os.system by the stack", archive(pickle(text("os"), text("system"), "\x93")), asks("os.system")],
    [
      "a pickle in a pickle",
      archive(pickle("ctorch.storage\n_load_from_bytes\n")),
      asks("torch.storage._load_from_bytes"),
    ],
    ["what objects of JavaScript have", archive(pickle("c__proto__\nconstructor\n")), asks("__proto__.constructor")],
    ["a path through a known module", archive(pickle("ctorch._utils\nos.system\n")), asks("torch._utils.os.system")],
    [
      "a name with control characters",
      archive(pickle("cos\n\x1b[2Jsystem\n")),
      /the pickle asks for "os\.\\u001b\[2Jsystem"/,
    ],
  ]);

  it("and the commands of the files have not run", () => {
    expect(existsSync("executed")).toBe(false);
  });
});

describe("a pickle that is no pickle of a state_dict is refused", () => {
  const refused = (what: string, message: RegExp, ...operations: readonly Part[]) =>
    [what, archive(bytes("\x80\x02", ...operations)), message] as Case;

  refuses([
    refused("no STOP", /truncated: the pickle needs 1 bytes/, "}"),
    refused("nothing to return", /takes from an empty stack/, "."),
    refused("an opcode of protocol 0", /opcode 0x49 at byte 2/, "I1\n."),
    refused("an instance", /opcode 0x81 at byte 4/, "})\x81."),
    refused("an opcode that is none", /opcode 0xff/, "\xff."),
    ["protocol 1", archive(bytes("\x80\x01}.")), /pickle protocol 1, expected 2 to 5/],
    ["protocol 6", archive(bytes("\x80\x06}.")), /pickle protocol 6/],
    refused("a string longer than the file", /truncated: the pickle needs 1000 bytes/, "X", little(1000, 4), "abc."),
    refused("a string of 2^63 bytes", /a string of 9223372036854776000 bytes/, "\x8d", little(2n ** 63n, 8), "."),
    refused("a string that is not UTF-8", /a string that is not UTF-8/, "X", little(1, 4), "\xff."),
    refused("an int longer than the file", /truncated: the pickle needs 255 bytes/, "\x8a\xff1."),
    refused("a name without end", /a name that does not end within 1024 bytes/, "c", "a".repeat(2000)),
    refused("a name that is a number", /whose name is no string/, "K\x01K\x01\x93."),
    refused("a mark that is missing", /a mark that it has not set/, "t."),
    refused("a value from below the mark", /takes from an empty stack/, "K\x01(\x85."),
    refused("a memory without content", /takes from an empty stack/, "q\0."),
    refused("a memory that is empty", /recalls 7, and its memo has 0/, "h\x07."),
    refused("a memory that jumps", /memo jumps from 0 to 4294967295/, "}r\xff\xff\xff\xff."),
    refused("an item of no list", /appends to something that is no list/, "}K\x01a."),
    refused("an item of no dict", /sets items of something that is no dict/, "]K\x01K\x01s."),
    refused("a key without a value", /sets a key without a value/, "}(K\x01u."),
    refused("a call of a number", /calls something that is no function/, "K\x01)R."),
    refused("a call of a class without behaviour", /calls something that is no function/, "ctorch\nFloatStorage\n)R."),
    refused("a call with a number", /calls a function with something that is no tuple/, "ctorch\ndevice\nK\x01R."),
    refused("attributes of a list", /sets attributes of something/, "]}b."),
    refused("a tensor of nothing", /rebuilds a tensor of something else/, "ctorch._utils\n_rebuild_tensor_v2\n)R."),
    refused("a parameter of nothing", /makes a parameter of something/, "ctorch._utils\n_rebuild_parameter\n)R."),
    refused("a Counter of a list", /makes a Counter of something/, "ccollections\nCounter\n]\x85R."),
    refused("an OrderedDict of pairs", /makes an OrderedDict as only/, "ccollections\nOrderedDict\n]\x85R."),
    refused("a set of a number", /makes a set of something/, "cbuiltins\nset\nK\x01\x85R."),
    refused("a storage of no type", /that is no storage/, tuple(text("storage"), "NNNN"), "Q."),
    refused("a reference that is no tuple", /that is no storage/, "K\x01Q."),
    refused("a numpy object", /numpy value of type "O8"/, "cnumpy\ndtype\n", text("O8"), "\x85R."),
    refused("a numpy type of a list", /numpy value of type unknown/, "cnumpy\ndtype\n]\x85R."),
    refused(
      "a big-endian numpy value",
      /numpy value that is not little-endian/,
      "cnumpy\ndtype\n",
      text("f8"),
      "\x85R(K\x03",
      text(">"),
      "tb.",
    ),
    refused(
      "half a numpy value",
      /something else than 8 bytes/,
      "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n",
      text("f8"),
      "\x85RC\x041234\x86R.",
    ),
    refused("a list", /found something that is no dict/, "]."),
    refused("no tensors", /found a dict of "a", "b"/, dict(["a", int(1)], ["b", "}"]), "."),
    refused(
      "a tensor among other things",
      /"x" of the state_dict is no tensor/,
      dict(["w", tensor()], ["x", int(1)]),
      ".",
    ),
    refused(
      "other things in the model",
      /"x" of the state_dict/,
      dict(["model", dict(["w", tensor()], ["x", "N"])]),
      ".",
    ),
    refused("lists in lists, 400,000 deep", /no dict/, many(400_000, "]"), many(90_000, "a"), "."),
    refused(
      "lists in lists, deep as a numpy type",
      /type unknown/,
      "cnumpy\ndtype\n",
      many(200_000, "]"),
      many(199_999, "a"),
      "\x85R.",
    ),
    refused("a list in itself", /no dict/, "]q\0h\0a."),
    refused("a tuple in itself", /no dict/, "]q\0(h\0th\0h\0a."),
    refused("tuples of tuples, 2^100000 in all", /no dict/, ")q\0", many(100_000, "q\0h\0\x86"), "."),
    refused("more operations than any network takes", /more than 500000 operations/, many(600_000, "}0"), "."),
    refused(
      "more bytes than any network takes",
      /it may take 33554432 in all/,
      many(40, "X", little(2 ** 20, 4), "a".repeat(2 ** 20), "0"),
      "}.",
    ),
    refused(
      "one list as the size of 100,000 tensors",
      /up to 8 dimensions/,
      "(",
      many(100_000, "K\x01"),
      "tq\0ctorch._utils\n_rebuild_tensor_v2\n(NK\0h\0h\0tR.",
    ),
    refused(
      "nine dimensions",
      /up to 8 dimensions/,
      dict(["w", tensor({ shape: Array(9).fill(1), strides: Array(9).fill(1) })]),
      ".",
    ),
  ]);
});

it("a tensor keeps the shape it was made with, whatever the pickle appends to that list later", () => {
  const made = bytes(
    "ctorch._utils\n_rebuild_tensor_v2\n",
    tuple(storage(), int(0), "h\0", tuple(int(1)), "\x89N"),
    "R",
  );
  const file = archive(pickle("]q\0", int(4), "a0", dict(["w", made]), "h\0", text("1e9"), "a", int(-1), "a0"));
  expect(readPytorch(file).tensors.get("w")!.shape).toEqual([4]);
});

describe("a tensor that does not lie in its storage is refused by its name", () => {
  const huge = 2n ** 53n - 1n;
  const cases: [string, TensorParts, RegExp][] = [
    ["one element too many", { shape: [5] }, /tensor "w" \(F32 5\) ends at element 4 of a storage of 4/],
    ["an offset too far", { offset: 1 }, /ends at element 4 of a storage/],
    ["a stride too long", { strides: [2] }, /ends at element 6 of a storage/],
    ["a negative length", { shape: [-4] }, /rebuilds a tensor of something else/],
    ["a negative stride", { strides: [-1], offset: 3 }, /rebuilds a tensor of something else/],
    ["a negative offset", { offset: -1 }, /rebuilds a tensor of something else/],
    ["lengths whose product overflows 64 bits", { shape: [2n ** 32n, 2n ** 32n], strides: [1, 1] }, /ends at element/],
    [
      "lengths whose product is beyond any number",
      { shape: Array(8).fill(huge), strides: Array(8).fill(huge) },
      /ends at element/,
    ],
    ["lengths that no double holds", { shape: [2n ** 64n] }, /rebuilds a tensor of something else/],
    ["10^12 times the same number", { shape: [1e12], strides: [0] }, /takes 4000000000000 bytes of copies, more than/],
    [
      "10^12 times the same half number",
      { type: "HalfStorage", elements: 8, shape: [1e12], strides: [0] },
      /takes 4000000000000 bytes/,
    ],
    ["numbers and lengths that are not as many", { strides: [1, 1] }, /has 1 dimensions and 2 strides/],
    ["a storage that is missing", { key: "1" }, /is in storage "1", which the file lacks/],
    [
      "a storage by the path of an entry",
      { key: "../data.pkl" },
      /is in storage "\.\.\/data\.pkl", which the file lacks/,
    ],
    ["a storage said to be longer", { elements: 5 }, /must have 20 bytes and has 16/],
    ["a storage said to be shorter", { elements: 3, shape: [3] }, /must have 12 bytes and has 16/],
    ["a storage of wider numbers", { type: "DoubleStorage" }, /must have 32 bytes and has 16/],
  ];
  refuses(cases.map(([what, parts, message]) => [what, archive(pickle(dict(["w", tensor(parts)]))), message] as const));

  it("10,000 tensors that repeat one storage take no more memory than the file can need", () => {
    const repeated = tensor({ shape: [500, 4], strides: [0, 1] });
    const items = Array.from({ length: 10_000 }, (_, i) => [String(i), repeated] as const);
    const message = refusal(archive(pickle(dict(...items))))?.message;
    expect(message).toMatch(/takes 8000 bytes of copies, more than a file of/);
  });
});
