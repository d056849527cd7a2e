import type { Dataset } from "../datasets/dataset.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { datasetVersion, openDataset, relatedTest } from "../datasets/open.ts";
import { parseReference } from "../datasets/reference.ts";
import { splitTenth } from "../datasets/subset.ts";
import { CollapsarError } from "../errors.ts";
import type { StorageCall } from "../storage/storage.ts";
import type { EvaluationRequest } from "./request.ts";

/** Which sets an evaluation is made on. */
export interface EvaluationSets {
  /** The images the network was trained on: NC metrics are taken over these. */
  readonly train: Dataset;
  /** The in-distribution side of OoD detection, and what calibration is measured on. */
  readonly test: Dataset | null;
  /** What the temperature is fitted on. */
  readonly validation: Dataset | null;
  readonly ood: readonly OodDataset[];
}

/** How results call an OoD set. */
export interface OodName {
  readonly name: string;
  /** The group it belongs to, such as `near`. */
  readonly group: string | null;
}

/** Images that are not of the training distribution; labels they may have mean nothing here. */
export interface OodDataset extends OodName {
  readonly dataset: Dataset;
}

/** An OoD set as a request names it. */
interface OodReference extends OodName {
  readonly reference: string;
}

/**
 * Opens the sets that `request` names, or else the checkpoint's `metadata`. A checkpoint that says `validation=tenth`
 * was trained without every tenth sample of each class: these are its validation part, and the rest is its training set.
 * @throws CollapsarError `missing-metadata` where neither names a dataset; `unknown-dataset`, `missing-dataset`;
 *   `invalid-request` where two OoD sets have one name.
 */
export async function openSets(
  request: EvaluationRequest,
  metadata: Readonly<Record<string, string>>,
  sources: DatasetSources,
  call: StorageCall = {},
): Promise<EvaluationSets> {
  const reference = request.dataset ?? metadata.dataset;
  if (reference === undefined)
    throw new CollapsarError(
      "missing-metadata",
      "neither the request nor the checkpoint's metadata name a dataset: give one (a name such as digits, or a URL)",
    );
  const testReference = request.test ?? relatedTest(reference);
  const others = oodReferences(request);
  const openIf = (named: string | null | undefined) => (named ? openDataset(named, sources, call) : null);
  const [whole, test, validation, ood] = await Promise.all([
    openDataset(reference, sources, call),
    openIf(testReference),
    openIf(request.validation),
    Promise.all(
      others.map(async ({ name, group, reference }) => {
        const dataset = await openDataset(reference, sources, call);
        return { name, group, dataset: { ...dataset, name, labels: null } };
      }),
    ),
  ]);
  const heldOut = metadata.validation === "tenth" && relatedTest(reference) !== null;
  const { rest, validation: own } = heldOut ? splitTenth(whole) : { rest: whole, validation: null };
  return { train: rest, test, validation: validation ?? own, ood };
}

/** Returns every set of an evaluation under the name of its part: `train`, `test`, `validation`, `ood:<name>`. */
export function partsOf(sets: EvaluationSets): readonly { readonly part: string; readonly dataset: Dataset }[] {
  const { train, test, validation, ood } = sets;
  return [
    { part: "train", dataset: train },
    ...(test ? [{ part: "test", dataset: test }] : []),
    ...(validation ? [{ part: "validation", dataset: validation }] : []),
    ...ood.map(({ name, dataset }) => ({ part: `ood:${name}`, dataset })),
  ];
}

/**
 * Returns a cheap version mark of each dataset the request names, without decoding any; those it leaves to the checkpoint
 * are not known yet. @throws CollapsarError `unknown-dataset`, `missing-dataset`, `invalid-request`.
 */
export async function versionsOf(request: EvaluationRequest, sources: DatasetSources): Promise<Record<string, string>> {
  const { dataset, test, validation } = request;
  const named = {
    dataset,
    test: test ?? (dataset && relatedTest(dataset)),
    validation,
    ...Object.fromEntries(oodReferences(request).map(({ name, reference }) => [`ood:${name}`, reference])),
  };
  const known = Object.entries(named).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const marks = known.map(async ([part, reference]) => [part, await datasetVersion(reference, sources)]);
  return Object.fromEntries(await Promise.all(marks));
}

/**
 * Returns the OoD sets of a request. The name alone of a dataset means its test part here, and results call it by that name.
 * @throws CollapsarError `invalid-request` where two have one name; `unknown-dataset`, `unsupported-url`.
 */
export function oodReferences({ ood = [] }: EvaluationRequest): readonly OodReference[] {
  const references = ood.map((entry) => {
    const { set, group } = typeof entry === "string" ? { set: entry, group: null } : entry;
    const { name } = parseReference(set);
    return { name, group, reference: relatedTest(set) ?? set };
  });
  const names = references.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return references;
  throw new CollapsarError("invalid-request", `two OoD sets are named "${twice}": results could not tell them apart`);
}
