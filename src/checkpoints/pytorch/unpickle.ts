import { findGlobal, loadStorage } from "./globals.ts";
import { malformed } from "./malformed.ts";
import { numpyTypeState } from "./numpyScalar.ts";
import { PickleInput } from "./pickleInput.ts";
import { type Dict, isKind, type PickleValue, type Storage } from "./values.ts";

/** Bounds memory and time: an operation makes at most one value. A tensor takes about 30. */
const MAX_OPERATIONS = 500_000;

export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
  readonly storages: ReadonlyMap<string, Storage>;
}

/**
 * Returns the object of the pickle (protocol 2 to 5) that starts at byte `start`, the byte after the pickle, and the
 * storages it refers to by key. Executes nothing: a name is looked up in our own table, and refused where it is not there.
 * Source of the opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 * @throws CollapsarError `malformed-checkpoint` that names what is wrong.
 */
export function unpickle(bytes: Uint8Array, start = 0, maxOperations = MAX_OPERATIONS): Unpickled {
  const input = new PickleInput(bytes, start);
  const machine = new Machine(input);
  for (let operations = 0; operations < maxOperations; operations++) {
    const code = input.uint8();
    if (code === STOP) return { value: machine.pop(), end: input.position, storages: machine.storages };
    const operation = OPERATIONS.get(code);
    if (!operation)
      throw malformed(
        `the pickle holds the opcode 0x${code.toString(16)} at byte ${input.position - 1}, which no state_dict needs`,
      );
    operation(machine);
  }
  throw malformed(`the pickle takes more than ${maxOperations} operations`);
}

/** The pickle virtual machine. Every operation costs what it takes off the stack: values are shared, never walked. */
class Machine {
  readonly input: PickleInput;
  readonly storages = new Map<string, Storage>();
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo: PickleValue[] = [];

  constructor(input: PickleInput) {
    this.input = input;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    return this.popMany(1)[0]!;
  }

  /** Takes the last `count` values off the stack, none from below the last mark. */
  popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < (this.#marks.at(-1) ?? 0)) throw malformed("the pickle takes from an empty stack");
    return this.#stack.splice(this.#stack.length - count);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw malformed("the pickle looks for a mark that it has not set");
    return this.#stack.splice(mark);
  }

  top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw malformed("the pickle takes from an empty stack");
    return this.#stack.at(-1)!;
  }

  /** Picklers number what they remember from 0 on: an array holds it, and holds nothing more. */
  remember(index: number = this.#memo.length): void {
    if (index > this.#memo.length) throw malformed(`the pickle's memo jumps from ${this.#memo.length} to ${index}`);
    this.#memo[index] = this.top();
  }

  recall(index: number): void {
    if (index >= this.#memo.length)
      throw malformed(`the pickle recalls ${index}, and its memo has ${this.#memo.length}`);
    this.push(this.#memo[index]!);
  }

  append(items: PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw malformed("the pickle appends to something that is no list");
    for (const item of items) list.push(item);
  }

  setItems(items: PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw malformed("the pickle sets items of something that is no dict");
    if (items.length % 2 !== 0) throw malformed("the pickle sets a key without a value");
    for (let i = 0; i < items.length; i += 2) setItem(dict, items[i]!, items[i + 1]!);
  }

  findGlobal([module, name]: PickleValue[]): void {
    if (typeof module !== "string" || typeof name !== "string")
      throw malformed("the pickle asks for a class or function whose name is no string");
    this.push(findGlobal(`${module}.${name}`));
  }

  loadStorage(id: PickleValue): void {
    const storage = loadStorage(id);
    if (!this.storages.has(storage.key)) this.storages.set(storage.key, storage);
    this.push(storage);
  }

  call([callable, args]: PickleValue[]): void {
    if (!isKind(callable, "callable")) throw malformed("the pickle calls something that is no function");
    if (!Array.isArray(args)) throw malformed("the pickle calls a function with something that is no tuple");
    this.push(callable.call(args));
  }

  build(state: PickleValue): void {
    const object = this.top();
    if (isKind(object, "numpy-type")) numpyTypeState(state);
    // attributes of an OrderedDict: a state_dict keeps its modules' versions there
    else if (!(object instanceof Map))
      throw malformed("the pickle sets attributes of something that is no OrderedDict");
  }
}

function setItem(dict: Dict, key: PickleValue, value: PickleValue): void {
  if (typeof key === "string") dict.set(key, value);
}

const STOP = 0x2e;

/** By opcode; the names are those of pickletools. LONG4, text opcodes of protocol 0 and instances are no part of it. */
const OPERATIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [0x80, ({ input }) => checkProtocol(input.uint8())], // PROTO
  [0x95, ({ input }) => void input.uint64()], // FRAME: a hint for readers of streams
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.input.uint8())], // BININT1
  [0x4d, (m) => m.push(m.input.uint16())], // BININT2
  [0x4a, (m) => m.push(m.input.int32())], // BININT
  [0x8a, (m) => m.push(m.input.long(m.input.uint8()))], // LONG1
  [0x47, (m) => m.push(m.input.float64())], // BINFLOAT
  [0x8c, (m) => m.push(m.input.string(m.input.uint8()))], // SHORT_BINUNICODE
  [0x58, (m) => m.push(m.input.string(m.input.uint32()))], // BINUNICODE
  [0x8d, (m) => m.push(m.input.string(m.input.uint64()))], // BINUNICODE8
  [0x43, (m) => m.push(m.input.bytes(m.input.uint8()))], // SHORT_BINBYTES
  [0x42, (m) => m.push(m.input.bytes(m.input.uint32()))], // BINBYTES
  [0x8e, (m) => m.push(m.input.bytes(m.input.uint64()))], // BINBYTES8
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popToMark()], // POP_MARK
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append(m.popMany(1))], // APPEND
  [0x65, (m) => m.append(m.popToMark())], // APPENDS
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x74, (m) => m.push(m.popToMark())], // TUPLE
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popToMark())], // SETITEMS
  [0x8f, (m) => m.push([])], // EMPTY_SET
  [0x90, (m) => m.append(m.popToMark())], // ADDITEMS
  [0x91, (m) => m.push(m.popToMark())], // FROZENSET
  [0x71, (m) => m.remember(m.input.uint8())], // BINPUT
  [0x72, (m) => m.remember(m.input.uint32())], // LONG_BINPUT
  [0x94, (m) => m.remember()], // MEMOIZE
  [0x68, (m) => m.recall(m.input.uint8())], // BINGET
  [0x6a, (m) => m.recall(m.input.uint32())], // LONG_BINGET
  [0x63, (m) => m.findGlobal([m.input.line(), m.input.line()])], // GLOBAL
  [0x93, (m) => m.findGlobal(m.popMany(2))], // STACK_GLOBAL
  [0x52, (m) => m.call(m.popMany(2))], // REDUCE
  [0x62, (m) => m.build(m.pop())], // BUILD
  [0x51, (m) => m.loadStorage(m.pop())], // BINPERSID
]);

function checkProtocol(protocol: number): void {
  if (protocol < 2 || protocol > 5) throw malformed(`pickle protocol ${protocol}, expected 2 to 5`);
}
