import type { EvaluationResource } from "../../src/api/contract.ts";
import { submit } from "../../src/commands/connection.ts";
import type { EvaluationRequest } from "../../src/evaluation/request.ts";
import { trainBatch } from "../../src/training/batch.ts";
import { gridOf } from "../../src/training/recipe.ts";
import { fileUrl } from "../api/samples.ts";
import type { Dashboard } from "./dashboard.ts";

export const EXPERIMENT = "losses";
export const EPOCHS = [1, 2, 3];
export const GROUPS = ["ce", "nc"];
export const SEEDS = [1, 2, 3];

/** The least that has ROC curves, histograms and bins: 2,000 digits to train on and to test, 1,000 images of clothes. */
export const SETS = {
  dataset: "digits:test",
  test: "digits:test",
  validation: "digits:validation",
  ood: ["fashion-sample"],
};

/** The least network: what it learns does not matter, but that two losses and three seeds of it differ. */
const RECIPES = gridOf(
  { experiment: EXPERIMENT, dataset: "digits", width: 2, epochs: EPOCHS.length, batchSize: 32, imagesPerEpoch: 320 },
  { losses: ["ce", "nc"], seeds: SEEDS },
);

/** Returns the run of a group's seed. */
export const runOf = (group: string, seed: number) => `${EXPERIMENT}-${group}-seed${seed}`;

/** Trains six tiny networks and has the service evaluate every epoch; runs of odd seeds get one label, the others another. */
export async function record({ api, folder }: Dashboard): Promise<void> {
  const trained = await trainBatch(RECIPES, { to: fileUrl(folder, "store") });
  const labelled = trained.flatMap(({ checkpoints }, i) =>
    checkpoints.map((checkpoint) => ({
      checkpoint,
      run: { labels: { schedule: RECIPES[i]!.seed % 2 === 1 ? "step" : "cosine" } },
    })),
  );
  const ended = await Promise.all(labelled.map((body) => evaluated({ api }, body)));
  // the same bytes as another experiment: recorded without being computed again
  const first = { id: "baseline-1", experiment: "baseline", group: "ce", seed: 1 };
  ended.push(await evaluated({ api }, { checkpoint: trained[0]!.checkpoints[0]!, run: first }));
  const failed = [...trained.map(({ error }) => error), ...ended.map(({ error }) => error)].filter(Boolean);
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
}

/** Returns the ended evaluation of a checkpoint. */
export function evaluated(
  { api }: Pick<Dashboard, "api">,
  body: Partial<EvaluationRequest> & Pick<EvaluationRequest, "checkpoint">,
): Promise<EvaluationResource> {
  return submit(api, { ...SETS, ...body } as EvaluationRequest, 300);
}
