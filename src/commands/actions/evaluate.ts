import type { EvaluationResource } from "../../api/contract.ts";
import { type Config, readConfig, toUrl } from "../../config.ts";
import { CollapsarError, type ErrorCode } from "../../errors.ts";
import type { Progress } from "../../evaluation/evaluate.ts";
import { type EvaluationRequest, parseRequest } from "../../evaluation/request.ts";
import { openStorage } from "../../storage/open.ts";
import { type Connection, connectionTo, connectToHolder, submit, untilEnded } from "../connection.ts";
import type { EvaluateOptions } from "../evaluate.ts";
import { formatMetrics } from "../metricTables.ts";
import { print } from "../output.ts";
import { progressLine, type Unit } from "../progressLine.ts";
import { absoluteRequest } from "../references.ts";

/** What a stage counts, where it is not images. */
const UNITS: Readonly<Record<string, Unit>> = { download: "bytes", shards: "parts", metrics: "parts" };

type Report = (progress: Progress) => void;

/** Evaluates a checkpoint, here or where the database is served, and prints what was measured. */
export async function evaluateOne(
  checkpoint: string,
  { json, quiet, run, epoch, ...asked }: EvaluateOptions,
): Promise<void> {
  const request = absoluteRequest(parseRequest({ checkpoint: toUrl(checkpoint), ...asked, run: { id: run, epoch } }));
  const line = progressLine({ json, quiet });
  const report: Report = ({ stage, done, total }) => line.update(stage, done, total, UNITS[stage]);
  const config = readConfig();
  const service = connectToHolder(config);
  const here = (request.shards ?? 1) > 1 ? evaluateShards : evaluateHere;
  const evaluation = service ? await evaluateThere(service, request, report) : await here(config, request, report);
  line.end();
  print(evaluation, { json, quiet }, formatEvaluation, ({ id }) => id);
}

/** Returns the evaluation of a request by this process, recorded in the database of `config`. @throws CollapsarError as `evaluate`. */
export async function evaluateHere(
  config: Config,
  request: EvaluationRequest,
  onProgress: Report,
): Promise<EvaluationResource> {
  const [{ openDatabase }, { evaluateNow }, { toResource }] = await Promise.all([
    import("../../database/open.ts"),
    import("../../jobs/now.ts"),
    import("../../api/toResource.ts"),
  ]);
  const database = await openDatabase(config, "collapsar evaluate");
  try {
    const { data, cache } = config;
    const sources = { storage: openStorage({ fileRoots: null }), data, cache };
    return toResource(await evaluateNow(database, sources, request, onProgress));
  } finally {
    await database.close();
  }
}

/** Shards are jobs: of a service that runs as long as they do, and of all workers on its database. */
async function evaluateShards(config: Config, request: EvaluationRequest, onProgress: Report) {
  const { serve } = await import("../../api/serve.ts");
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
