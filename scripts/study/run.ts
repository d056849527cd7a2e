import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Aggregate } from "../../src/api/contract.ts";
import { serve } from "../../src/api/serve.ts";
import { connectionTo } from "../../src/commands/connection.ts";
import type { Config } from "../../src/config.ts";
import { CollapsarError } from "../../src/errors.ts";
import type { RunSummary } from "../../src/training/event.ts";
import { evaluateAll } from "./evaluate.ts";
import { provideImages } from "./images.ts";
import { EXPERIMENT, fullRecipes, groupRecipes, OOD, type StudyPlan } from "./plan.ts";
import { openStageTimes, type StageSeconds } from "./stageTimes.ts";
import { train } from "./train.ts";

/** What the study came to. */
export interface Studied {
  /** Every metric of every epoch that was evaluated, by group. */
  readonly aggregate: Aggregate;
  /** Runs that diverged. */
  readonly failed: readonly RunSummary[];
  /** Of all sessions together. */
  readonly seconds: StageSeconds;
  /** Checkpoints trained and evaluated in all, and those of them evaluated in this session. */
  readonly checkpoints: number;
  readonly evaluated: number;
}

/** Who hears of the study, and who can stop it. */
export interface Listener {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly quiet?: boolean;
}

/**
 * Trains what is not trained and evaluates what is not evaluated, and returns all that is recorded. Stopped at any
 * moment, the same call goes on from there.
 * @throws CollapsarError `cancelled`, `missing-dataset`, `database-locked`, and what training and evaluation throw.
 */
export async function runStudy(plan: StudyPlan, config: Config, { say, signal, quiet }: Listener): Promise<Studied> {
  const images = await provideImages(plan.perClass, config);
  const times = openStageTimes(join(config.home, "study-times.json"));
  const place = { store: config.store, signal, times, quiet: quiet ?? false };
  const [recipes, full] = [groupRecipes(plan, images), fullRecipes(plan, images)];

  say(`Training ${recipes.length} networks on the engine ${plan.engine}.`);
  times.begin("training");
  const runs = await train(recipes, place);
  times.begin("full training");
  const fullRuns = await train(full, place);

  const ood = [OOD];
  const requests = runs
    .flatMap((run) => checkpointsOf(run, plan.evaluated))
    .map((checkpoint) => ({
      ...{ checkpoint, ood },
      ...{ dataset: images.measured, test: images.test, validation: images.validation },
    }));
  // without a named validation part, and the NC metrics over all it was trained on
  const last = fullRuns.flatMap(({ checkpoints }) => checkpoints.slice(-1));
  const fullRequests = last.map((checkpoint) => ({ checkpoint, ood, test: "fashion-mnist:test" }));
  const service = await serve(servedFrom(config), { command: "npm run study" });
  try {
    const api = connectionTo(service.request);
    say(`Evaluating ${requests.length + fullRequests.length} checkpoints.`);
    times.begin("evaluation");
    let evaluated = await evaluateAll(api, requests, { signal, times, say });
    times.begin("full evaluation");
    evaluated += await evaluateAll(api, fullRequests, { signal, times, say });
    say(`${evaluated} evaluated now, ${requests.length + fullRequests.length - evaluated} known from before.`);
    const aggregate = await api.request<Aggregate>(`/aggregate?experiment=${EXPERIMENT}&by=group&epoch=all`);
    rejectMixedProtocols(aggregate);
    const failed = [...runs, ...fullRuns].filter(({ error }) => error !== null);
    return { aggregate, failed, seconds: times.seconds, checkpoints: requests.length + fullRequests.length, evaluated };
  } finally {
    await service.stop();
  }
}

/** Returns the checkpoints of a run after `epochs`, those that it came to. */
function checkpointsOf({ checkpoints }: RunSummary, epochs: readonly number[]): string[] {
  return epochs.flatMap((epoch) => checkpoints[epoch - 1] ?? []);
}

/** The service reads the store too, wherever it is. */
function servedFrom(config: Config): Config {
  const store = config.store.startsWith("file://") ? [fileURLToPath(config.store)] : [];
  return { ...config, host: "127.0.0.1", port: 0, fileRoots: [...config.fileRoots, ...store] };
}

/** Numbers of another engine or of other definitions are no part of the same study. */
function rejectMixedProtocols({ rows }: Aggregate): void {
  for (const [dataset, members] of Map.groupBy(rows, ({ dataset }) => dataset)) {
    const protocols = new Set(members.map(({ protocol }) => protocol));
    if (protocols.size > 1)
      throw new CollapsarError(
        "conflict",
        `the records of the study on ${dataset} have ${protocols.size} protocols, expected one: take another COLLAPSAR_HOME`,
      );
  }
}
