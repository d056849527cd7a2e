import { malformed, quoted } from "./malformed.ts";
import { type Dict, isKind, type PickleValue, type StoredTensor } from "./values.ts";

/** Where training scripts put the state dict in what they save, in order of preference. */
const WRAPPERS = ["state_dict", "model", "model_state_dict", "net"];

/** What a checkpoint's metadata may say of its network and run. */
const METADATA_KEYS = [
  ...["arch", "variant", "coeff", "width", "classes", "l2_norm"],
  ...["experiment", "group", "run", "seed", "epoch", "dataset", "loss", "validation"],
];
/** Those that have one number per channel. */
const METADATA_LISTS = ["mean", "std"];

/**
 * Returns the state dict in what was saved (under "state_dict", "model", "model_state_dict" or "net" of a dict, or the
 * dict itself), and the strings, numbers, booleans and lists of numbers that lie beside it under metadata keys.
 * @throws CollapsarError `malformed-checkpoint` where there is none, or it holds something that is no tensor.
 */
export function findStateDict(saved: PickleValue): {
  tensors: ReadonlyMap<string, StoredTensor>;
  metadata: Record<string, string>;
} {
  if (!(saved instanceof Map)) throw malformed(`${EXPECTED}; found something that is no dict`);
  for (const wrapper of WRAPPERS) {
    const inner = saved.get(wrapper);
    if (inner instanceof Map && holdsTensors(inner)) return { tensors: tensorsOf(inner), metadata: metadataOf(saved) };
  }
  if (holdsTensors(saved)) return { tensors: tensorsOf(saved), metadata: {} };
  const names = [...saved.keys()].slice(0, 5).map(quoted);
  throw malformed(`${EXPECTED}; found a dict of ${names.join(", ") || "no names"}`);
}

const EXPECTED = `expected a dict of tensors, itself or under ${WRAPPERS.map(quoted).join(", ")}`;

function holdsTensors(dict: Dict): boolean {
  return [...dict.values()].some((value) => isKind(value, "tensor"));
}

function tensorsOf(dict: Dict): ReadonlyMap<string, StoredTensor> {
  for (const [name, value] of dict)
    if (!isKind(value, "tensor")) throw malformed(`${quoted(name)} of the state_dict is no tensor`);
  return dict as ReadonlyMap<string, PickleValue> as ReadonlyMap<string, StoredTensor>;
}

function metadataOf(saved: Dict): Record<string, string> {
  const found = [
    ...METADATA_KEYS.map((key) => [key, textOf(saved.get(key))] as const),
    ...METADATA_LISTS.map((key) => [key, listText(saved.get(key))] as const),
  ];
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== null));
}

function textOf(value: PickleValue | undefined): string | null {
  return ["string", "number", "bigint", "boolean"].includes(typeof value) ? String(value) : null;
}

function listText(value: PickleValue | undefined): string | null {
  if (!Array.isArray(value)) return textOf(value);
  return value.every((item) => typeof item === "number") ? value.join(",") : null;
}
