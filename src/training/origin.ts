import { CollapsarError } from "../errors.ts";
import { type NetworkSpec, specMetadata } from "../networks/spec.ts";
import { VERSION } from "../version.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingSet } from "./trainingSet.ts";

/**
 * Returns the metadata that say where a checkpoint of this run comes from. `recipe` (JSON) is all that decides the weights
 * after a given epoch; so the number of epochs is in it only where the learning rate depends on that (`cosine`), and any other
 * run can be made longer.
 */
export function originOf({ epochs, ...rest }: Recipe, spec: NetworkSpec, { dataset, validation }: TrainingSet) {
  const recipe = rest.schedule === "cosine" ? { ...rest, epochs } : rest;
  const { experiment, group, run, seed, loss } = recipe;
  return {
    ...{ experiment, group, run, seed: String(seed), loss, dataset: recipe.dataset },
    ...(validation && { validation }),
    recipe: JSON.stringify({ ...recipe, variant: specMetadata(spec).variant, datasetDigest: dataset.digest }),
    producer: `collapsar ${VERSION}`,
  };
}

/**
 * Returns if the metadata `found` are of a run begun as `expected` would begin it.
 * @throws CollapsarError `conflict` that names everything that differs.
 */
export function rejectOtherOrigin(
  found: Readonly<Record<string, string>>,
  expected: { readonly run: string; readonly recipe: string },
  url: string,
): void {
  const [before, now] = [JSON.parse(found.recipe ?? "{}"), JSON.parse(expected.recipe)];
  const show = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  const differences = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((key) => show(before[key]) !== show(now[key]))
    .map((key) => `${key} was ${show(before[key])} and is ${show(now[key])}`);
  if (differences.length > 0)
    throw new CollapsarError(
      "conflict",
      `run ${expected.run} was begun with another recipe (${differences.join("; ")}): name another experiment, or remove ${url}`,
    );
}
