import { toUrl } from "../config.ts";
import { CollapsarError } from "../errors.ts";
import { parseObjectUrl } from "../storage/url.ts";
import { CATALOGUE_NAMES, type CatalogueName } from "./catalogue.ts";

const PARTS = ["train", "test", "validation"] as const;
export type Part = (typeof PARTS)[number];

const NAMES: readonly DatasetName[] = ["digits", ...CATALOGUE_NAMES];
export type DatasetName = "digits" | CatalogueName;

/** What a reference to a dataset means; `name` is how results call the set. */
export type Reference =
  | { readonly kind: "named"; readonly name: string; readonly dataset: DatasetName; readonly part: Part }
  | { readonly kind: "file"; readonly name: string; readonly url: string; readonly format: FileFormat };

/** How the images of a file are stored: told by its name. A folder's ends with a slash. */
export type FileFormat = "tensors" | "npz" | "idx" | "folder";

/**
 * Returns what `reference` means: `name` or `name:part` (a bare name is its `train` part), else a URL or a path, which
 * both have a `/` or a `.`. A folder of images ends with `/`.
 * @throws CollapsarError `unknown-dataset` that lists the names or parts there are, `unsupported-url`.
 */
export function parseReference(reference: string): Reference {
  if (/[/\\.]/.test(reference)) return fileReference(reference);
  const [dataset, part = "train", ...more] = reference.split(":");
  if (!isOneOf(NAMES, dataset))
    throw unknown(`there is no dataset "${reference}": expected ${NAMES.join(", ")}, or a path or URL of a file`);
  if (!isOneOf(PARTS, part) || more.length > 0)
    throw unknown(`dataset "${reference}" names no part of ${dataset}: expected ${PARTS.join(", ")}`);
  return { kind: "named", name: part === "train" ? dataset : `${dataset}:${part}`, dataset, part };
}

/** Returns the reference to the test set that belongs to a named training set, or null for everything else. */
export function relatedTest(reference: string): string | null {
  const parsed = parseReference(reference);
  return parsed.kind === "named" && parsed.part === "train" ? `${parsed.dataset}:test` : null;
}

function fileReference(reference: string): Reference {
  const folder = /[/\\]$/.test(reference);
  const url = toUrl(reference).replace(/\/*$/, folder ? "/" : "");
  const { path } = parseObjectUrl(url, { folder });
  const base = path.replace(/^.*\//s, "");
  const format = folder ? "folder" : formatOf(base);
  return { kind: "file", name: base.replace(EXTENSION[format], ""), url, format };
}

/** What results leave out of a file's name. */
const EXTENSION: Readonly<Record<FileFormat, RegExp>> = {
  tensors: /\.safetensors$/,
  npz: /\.npz$/,
  idx: /[-.]images[-.]idx3-ubyte(\.gz)?$/,
  folder: /$/,
};

function formatOf(base: string): FileFormat {
  return (["npz", "idx"] as const).find((format) => EXTENSION[format].test(base)) ?? "tensors";
}

function isOneOf<T extends string>(list: readonly T[], value: string | undefined): value is T {
  return (list as readonly (string | undefined)[]).includes(value);
}

function unknown(message: string): CollapsarError {
  return new CollapsarError("unknown-dataset", message);
}
