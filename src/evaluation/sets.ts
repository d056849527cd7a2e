import type { Dataset } from "../datasets/dataset.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { datasetVersion, openDataset, relatedTest } from "../datasets/open.ts";
import { splitTenth } from "../datasets/subset.ts";
import { CollapsarError } from "../errors.ts";
import type { StorageCall } from "../storage/storage.ts";
import type { EvaluationRequest } from "./request.ts";

/** Which sets an evaluation is made on; a part that is absent comes with the reason. */
export interface EvaluationSets {
  /** The images the network was trained on: NC metrics are taken over these. */
  readonly train: Dataset;
  readonly test: Dataset | null;
}

/** The datasets a request names, by their part in the evaluation. */
interface References {
  readonly dataset: string;
  readonly test: string | null;
}

/**
 * Opens the sets that `request` names, or else the checkpoint's `metadata`. A checkpoint that says `validation=tenth`
 * was trained without every tenth sample of each class, so the rest is its training set.
 * @throws CollapsarError `missing-metadata` where neither names a dataset; `unknown-dataset`, `missing-dataset`.
 */
export async function openSets(
  request: EvaluationRequest,
  metadata: Readonly<Record<string, string>>,
  sources: DatasetSources,
  call: StorageCall = {},
): Promise<EvaluationSets> {
  const references = referencesOf({ ...request, dataset: request.dataset ?? metadata.dataset });
  const [whole, test] = await Promise.all([
    openDataset(references.dataset, sources, call),
    references.test === null ? null : openDataset(references.test, sources, call),
  ]);
  const heldOut = metadata.validation === "tenth" && relatedTest(references.dataset) !== null;
  return { train: heldOut ? splitTenth(whole).rest : whole, test };
}

/**
 * Returns a cheap version mark of each dataset the request names, without decoding any; empty where it leaves them to the
 * checkpoint. @throws CollapsarError `unknown-dataset`, `missing-dataset`.
 */
export async function versionsOf(request: EvaluationRequest, sources: DatasetSources): Promise<Record<string, string>> {
  if (request.dataset === undefined) return {};
  const { dataset, test } = referencesOf(request);
  const [train, tested] = await Promise.all([
    datasetVersion(dataset, sources),
    test === null ? "" : datasetVersion(test, sources),
  ]);
  return { dataset: train, test: tested };
}

function referencesOf({ dataset, test }: Pick<EvaluationRequest, "dataset" | "test">): References {
  if (dataset === undefined)
    throw new CollapsarError(
      "missing-metadata",
      "neither the request nor the checkpoint's metadata name a dataset: give one (a name such as digits, or a URL)",
    );
  return { dataset, test: test ?? relatedTest(dataset) };
}
