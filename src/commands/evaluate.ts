import { Command } from "commander";
import type { EvaluationResource } from "../api/contract.ts";
import { type Config, readConfig, toUrl } from "../config.ts";
import { CollapsarError, type ErrorCode } from "../errors.ts";
import type { Progress } from "../evaluation/evaluate.ts";
import { type EvaluationRequest, MAX_SHARDS, parseRequest } from "../evaluation/request.ts";
import { openStorage } from "../storage/open.ts";
import { type Connection, connectionTo, connectToHolder, submit, untilEnded } from "./connection.ts";
import { formatMetrics } from "./metrics.ts";
import {
  CHECKPOINT_HELP,
  deviceOption,
  engineOption,
  jitterOption,
  networkOption,
  oodOption,
  wholeNumber,
} from "./options.ts";
import { jsonOption, print } from "./output.ts";
import { progressLine } from "./progressLine.ts";

type Asked = "dataset" | "test" | "validation" | "jitter" | "network" | "engine" | "device" | "shards" | "force";

interface Options extends Pick<EvaluationRequest, Asked> {
  readonly ood: NonNullable<EvaluationRequest["ood"]>;
  readonly run?: string;
  readonly epoch?: number;
  readonly json?: boolean;
}

type Report = (progress: Progress) => void;

/** Returns the command `evaluate`: the whole story for one checkpoint, recorded. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("Evaluate a checkpoint and record its metrics; the same again is answered from the record.")
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .option(
      "--dataset <name>",
      "training set: digits, fashion-mnist, …, a path or URL (default: what the checkpoint says)",
    )
    .option("--test <name>", "test set (default: the test part of a named dataset)")
    .option(
      "--validation <name>",
      "what the temperature is fitted on (default: the part a network of ours did not see)",
    )
    .addOption(oodOption())
    .addOption(jitterOption())
    .option("--run <id>", "run it belongs to (default: what the checkpoint says)")
    .option("--epoch <n>", "epoch it was taken after (default: what the checkpoint says)", wholeNumber(0))
    .addOption(networkOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .option(
      "--shards <n>",
      "jobs that share the images, on whatever workers the database has",
      wholeNumber(1, MAX_SHARDS),
    )
    .option("--force", "compute anew even if this was evaluated before")
    .addOption(jsonOption())
    .action(async (checkpoint: string, { json, run, epoch, ...asked }: Options) => {
      const request = parseRequest({ checkpoint: toUrl(checkpoint), ...asked, run: { id: run, epoch } });
      const line = progressLine(json);
      const report: Report = ({ stage, done, total }) => line.update(stage, done, total);
      const config = readConfig();
      const service = connectToHolder(config);
      const here = (request.shards ?? 1) > 1 ? evaluateShards : evaluateHere;
      const evaluation = service ? await evaluateThere(service, request, report) : await here(config, request, report);
      line.end();
      print(evaluation, json, formatEvaluation);
    });
}

async function evaluateHere(
  config: Config,
  request: EvaluationRequest,
  onProgress: Report,
): Promise<EvaluationResource> {
  const [{ openDatabase }, { evaluateNow }, { toResource }] = await Promise.all([
    import("../database/open.ts"),
    import("../jobs/now.ts"),
    import("../api/toResource.ts"),
  ]);
  const database = await openDatabase(config, "collapsar evaluate");
  try {
    const sources = { storage: openStorage({ fileRoots: null }), data: config.data };
    return toResource(await evaluateNow(database, sources, request, onProgress));
  } finally {
    await database.close();
  }
}

/** Shards are jobs: of a service that runs as long as they do, and of all workers on its database. */
async function evaluateShards(config: Config, request: EvaluationRequest, onProgress: Report) {
  const { serve } = await import("../api/serve.ts");
  const service = await serve({ ...config, host: "127.0.0.1", port: 0 }, { command: "collapsar evaluate" });
  try {
    return await evaluateThere(connectionTo(service.request), request, onProgress);
  } finally {
    await service.stop();
  }
}

/** Lets the service that holds the database evaluate, and waits for it. */
async function evaluateThere(service: Connection, request: EvaluationRequest, onProgress: Report) {
  const evaluation = await untilEnded(service, await submit(service, request), onProgress);
  const { error } = evaluation;
  if (error) throw new CollapsarError(error.code as ErrorCode, error.message);
  return evaluation;
}

function formatEvaluation(evaluation: EvaluationResource): string {
  const { run, epoch, dataset, id } = evaluation;
  const heading = `run ${run}, epoch ${epoch ?? "–"}, on ${dataset} (evaluation ${id})`;
  return `${heading}\n${formatMetrics(evaluation)}`;
}
