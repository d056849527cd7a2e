/**
 * The demo: a service with its embedded database, two groups of three networks trained on real digits, every epoch's
 * checkpoint evaluated over HTTP, and what that says. A second run trains nothing and evaluates nothing again.
 */
import type { Aggregate, Correlations } from "../src/api/contract.ts";
import { serve } from "../src/api/serve.ts";
import { type Connection, connectionTo, submit } from "../src/commands/connection.ts";
import { formatGroups } from "../src/commands/groupTable.ts";
import { plotLogarithmic } from "../src/commands/plot.ts";
import { batchProgress } from "../src/commands/progress.ts";
import { progressLine } from "../src/commands/progressLine.ts";
import { formatNumber } from "../src/commands/table.ts";
import { readConfig } from "../src/config.ts";
import { asCollapsarError, CollapsarError } from "../src/errors.ts";
import { trainBatch } from "../src/training/batch.ts";
import { gridOf, type Recipe } from "../src/training/recipe.ts";

const EXPERIMENT = "demo";

/** Small enough for minutes on two cores, and large enough that both losses pass 85 % on the test digits. */
const RECIPES = gridOf(
  { experiment: EXPERIMENT, dataset: "digits", width: 8, epochs: 4, batchSize: 32, imagesPerEpoch: 1440 },
  { losses: ["ce", "nc"], seeds: [1, 2, 3] },
);

const LONGEST_WAIT_SECONDS = 600;

/** 1,000 images of clothes, which come with Collapsar, against the digits. */
const OOD = "fashion-sample";
const AUROC = `auroc:${OOD}:gmm`;

const SHOWN = [
  "nc1",
  "nc2_equinorm_means",
  "nc2_equiangular_means",
  "nc2_equinorm_classifiers",
  "nc2_equiangular_classifiers",
  "nc3",
  "nc4_error",
  "nc4_mismatch",
  "accuracy",
  "ncc_accuracy",
  AUROC,
  `auroc:${OOD}:energy`,
  "ece",
];

async function demo(): Promise<void> {
  const config = readConfig();
  const service = await serve({ ...config, port: 0 }, { command: "npm run demo" });
  try {
    say(`A service is running at ${service.url}, its database and store in ${config.home}.`);
    say(`\nTraining ${RECIPES.length} networks: cross-entropy (ce) and the NC loss (nc), seeds 1 to 3.`);
    const checkpoints = await train(RECIPES, config.store);
    say(`\nEvaluating ${checkpoints.length} checkpoints: POST /evaluate for each.`);
    const api = connectionTo(service.request);
    const fresh = await evaluateAll(api, checkpoints);
    say(`${fresh} evaluated now, ${checkpoints.length - fresh} known from before.`);
    await report(api);
  } finally {
    await service.stop();
  }
}

/** Trains what is not trained yet, and returns the URL of every checkpoint. */
async function train(recipes: readonly Recipe[], to: string): Promise<string[]> {
  const progress = batchProgress(recipes);
  const runs = await trainBatch(recipes, { to, onProgress: progress.update });
  await progress.end();
  const failed = runs.find(({ error }) => error)?.error;
  if (failed) throw new CollapsarError(failed.code, failed.message);
  return runs.flatMap((run) => run.checkpoints);
}

/** Submits every checkpoint, waits for all, and returns how many were not known before. */
async function evaluateAll(api: Connection, checkpoints: readonly string[]): Promise<number> {
  const line = progressLine();
  const submitted = await Promise.all(checkpoints.map((checkpoint) => submit(api, { checkpoint, ood: [OOD] })));
  for (const [i, checkpoint] of checkpoints.entries()) {
    line.update("evaluated", i, checkpoints.length);
    const { status, error } = await submit(api, { checkpoint, ood: [OOD] }, LONGEST_WAIT_SECONDS);
    if (status !== "succeeded") throw new CollapsarError("internal", `${checkpoint}: ${error?.message ?? status}`);
  }
  line.end();
  return submitted.filter(({ status }) => status !== "succeeded").length;
}

async function report(api: Connection): Promise<void> {
  const query = `experiment=${EXPERIMENT}&by=group`;
  const last = await api.request<Aggregate>(`/aggregate?${query}&metrics=${SHOWN.join(",")}`);
  const rows = last.rows.toSorted((a, b) => SHOWN.indexOf(a.metric) - SHOWN.indexOf(b.metric));
  say(`\nMean ± 95 % interval over the seeds, after the last epoch:\n${formatGroups({ rows })}`);

  const trajectories = await api.request<Aggregate>(`/aggregate?${query}&metrics=nc1&epoch=all`);
  const groups = Map.groupBy(trajectories.rows, ({ group }) => group ?? "");
  const series = [...groups].map(([name, points]) => ({ name, values: points.map(({ mean }) => mean!) }));
  say(
    `\nNC1 (variability collapse) over the epochs, mean of the seeds:\n${plotLogarithmic(series, process.stdout.isTTY)}`,
  );

  const [together] = (await api.request<Correlations>(`/correlations?${query}&x=nc1&y=${AUROC}`)).rows;
  const { r, p } = together!.pearson;
  say(
    `\nNC1 and AUROC (gmm, against ${OOD}) over the ${together!.n} runs: Pearson r = ${formatNumber(r)}, p = ${formatNumber(p)}.`,
  );

  say(`
What to type next:
  npx collapsar runs                             the runs of the demo
  npx collapsar runs ${RECIPES[0]!.run}               one run, epoch by epoch
  npx collapsar aggregate --experiment demo      every metric per group (--json, --csv)
  npx collapsar evaluate YOUR.safetensors --dataset digits
  npx collapsar serve                            the service, for POST /evaluate from your own training, and the
                                                 same as pages: http://localhost:8080/ui/experiments/${EXPERIMENT}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await demo();
} catch (error) {
  const { code, message } = asCollapsarError(error);
  console.error(`demo: ${message} (${code})`);
  process.exitCode = 1;
}
