import type { DType } from "../checkpoint.ts";
import { malformed, quoted } from "./malformed.ts";
import { numpyScalar, numpyType } from "./numpyScalar.ts";
import { isCount, isKind, type Known, type PickleValue, type Storage } from "./values.ts";

const STORAGES: Readonly<Record<string, DType>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

const DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"];

/** Ours: PyTorch itself allows 64. */
const MAX_DIMENSIONS = 8;

const OPAQUE: Known = { kind: "opaque" };

/** All that a pickle may ask for. A Map: an object would answer to "constructor" too. */
const GLOBALS: ReadonlyMap<string, Known> = new Map<string, Known>([
  ["torch._utils._rebuild_tensor_v2", callable(rebuildTensor)],
  ["torch._utils._rebuild_tensor", callable(rebuildTensor)],
  ["torch._utils._rebuild_parameter", callable(rebuildParameter)],
  ["torch._utils._rebuild_parameter_with_state", callable(rebuildParameter)],
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, { kind: "storage-type", dtype }] as const),
  ...DTYPES.map((name) => [`torch.${name}`, OPAQUE] as const),
  ["torch.device", callable(() => OPAQUE)],
  ["torch.Size", callable(([sizes]) => listOf(sizes, "torch.Size"))],
  ["collections.OrderedDict", callable(orderedDict)],
  // counts the milestones of a MultiStepLR
  ["collections.Counter", callable(counter)],
  // protocols 2 and 3 call their classes by name, protocol 2 by that of Python 2
  ...["builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset"].map(
    (name) => [name, callable(([items]) => listOf(items, "set"))] as const,
  ),
  ["_codecs.encode", callable(encode)],
  ["numpy.dtype", callable(numpyType)],
  ["numpy.core.multiarray.scalar", callable(numpyScalar)],
  ["numpy._core.multiarray.scalar", callable(numpyScalar)],
]);

/**
 * Returns what we have in place of Python's class or function of that full name.
 * @throws CollapsarError `malformed-checkpoint` that names it, where it is none of those a state dict needs.
 */
export function findGlobal(name: string): Known {
  const known = GLOBALS.get(name);
  if (known) return known;
  throw malformed(
    `the pickle asks for ${quoted(name)}: only tensors, numbers, strings and their containers are read (save net.state_dict())`,
  );
}

/**
 * Returns the storage that a persistent id of `torch.save` stands for: ("storage", type, key, device, elements), and in
 * the legacy format a view, which only PyTorch before 0.4 wrote.
 * @throws CollapsarError `malformed-checkpoint` where it is anything else.
 */
export function loadStorage(id: PickleValue): Storage {
  const [tag, type, key, , elements, view = null] = Array.isArray(id) ? id : [];
  if (
    tag !== "storage" ||
    !isKind(type, "storage-type") ||
    typeof key !== "string" ||
    !isCount(elements) ||
    view !== null
  )
    throw malformed("the pickle refers to something outside it that is no storage");
  return { kind: "storage", dtype: type.dtype, key, elements };
}

function callable(call: (args: readonly PickleValue[]) => PickleValue): Known {
  return { kind: "callable", call };
}

/** Arguments: storage, offset, size, stride, requires_grad, backward_hooks, metadata. */
function rebuildTensor([storage, offset, shape, strides, , , metadata = null]: readonly PickleValue[]): Known {
  if (!isKind(storage, "storage") || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    throw malformed(
      `the pickle rebuilds a tensor of something else than storage, offset, and size and stride of up to ${MAX_DIMENSIONS} dimensions`,
    );
  // a lazily negated view, which ends in a state_dict only by way of complex numbers
  if (metadata instanceof Map && metadata.size > 0) throw malformed("the pickle holds a conjugate or negated view");
  // copies: the pickle may append to its lists later
  return { kind: "tensor", storage, offset, shape: [...shape], strides: [...strides] };
}

function rebuildParameter([tensor]: readonly PickleValue[]): Known {
  if (!isKind(tensor, "tensor")) throw malformed("the pickle makes a parameter of something that is no tensor");
  return tensor;
}

function orderedDict(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw malformed("the pickle makes an OrderedDict as only Python 2 does");
  return new Map();
}

function counter([counts]: readonly PickleValue[]): PickleValue {
  if (!(counts instanceof Map)) throw malformed("the pickle makes a Counter of something that is no dict");
  return counts;
}

/** How protocol 2 writes bytes. They stay a string: copying one that the memo holds, again and again, would be a bomb. */
function encode([text, encoding]: readonly PickleValue[]): Known {
  if (typeof text !== "string" || encoding !== "latin1")
    throw malformed("the pickle encodes something else than bytes");
  return { kind: "latin1-bytes", text };
}

function listOf(items: PickleValue | undefined, name: string): PickleValue[] {
  if (!Array.isArray(items)) throw malformed(`the pickle makes a ${name} of something that is no list`);
  return items;
}

/** The length comes first: a long list that the memo holds could be walked again and again. */
function isCounts(values: PickleValue | undefined): values is number[] {
  return Array.isArray(values) && values.length <= MAX_DIMENSIONS && values.every(isCount);
}
