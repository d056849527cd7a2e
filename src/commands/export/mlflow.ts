import { decodeTime } from "ulid";
import type { EvaluationResource } from "../../api/contract.ts";
import { CollapsarError } from "../../errors.ts";
import type { Connection } from "../connection.ts";
import type { MlflowEntry, MlflowMetric, MlflowRun, MlflowServer } from "./mlflowServer.ts";
import type { RecordedRun } from "./recorded.ts";

/** Name in MLflow of the experiment of runs that have none. */
const NO_EXPERIMENT = "collapsar";

/** MLflow takes no more metrics in a request. */
const METRICS_PER_BATCH = 1000;
/** Nor longer values of tags and params (older versions). */
const LONGEST_TEXT = 5000;

/** What an export added. */
export interface Added {
  readonly runs: number;
  readonly checkpoints: number;
  readonly values: number;
}

/** The checkpoints of a run that were evaluated under one protocol: values of different protocols never mix. */
interface Series {
  readonly run: RecordedRun["run"];
  readonly protocol: string;
  readonly checkpoints: RecordedRun["metrics"];
}

type Checkpoint = Series["checkpoints"][number];

/**
 * Logs `runs` to `server` as a run of MLflow per run and protocol: seed and protocol as params, provenance as tags, each
 * value as a metric with the epoch as step. What is there already is not sent again. Returns what was added.
 * @throws CollapsarError as the calls of `mlflowServer`.
 */
export async function exportToMlflow(
  server: MlflowServer,
  connection: Connection,
  runs: AsyncIterable<RecordedRun>,
): Promise<Added> {
  const experiments = new Map<string, Experiment>();
  const added = { runs: 0, checkpoints: 0, values: 0 };
  for await (const recorded of runs) {
    const name = recorded.run.experiment ?? NO_EXPERIMENT;
    const experiment = experiments.get(name) ?? (await openExperiment(server, name));
    experiments.set(name, experiment);
    for (const series of seriesOf(recorded)) {
      const found = experiment.runs.get(keyOf(series.run.id, series.protocol));
      const run = found ?? (await createRun(server, experiment.id, series));
      const missing = found ? await missingCheckpoints(server, run, series) : series.checkpoints;
      const values = await log(server, run, missing, await describe(connection, series));
      if (missing.length > 0) await finish(server, run, series);
      added.runs += Number(!found);
      added.checkpoints += missing.length;
      added.values += values;
    }
  }
  return added;
}

function seriesOf({ run, metrics }: RecordedRun): Series[] {
  const protocols = Map.groupBy(metrics, ({ protocol }) => protocol);
  return [...protocols].map(([protocol, checkpoints]) => ({ run, protocol, checkpoints }));
}

interface Experiment {
  readonly id: string;
  /** Runs that were exported before, by run and protocol. */
  readonly runs: ReadonlyMap<string, MlflowRun>;
}

const keyOf = (run: string, protocol: string) => JSON.stringify([run, protocol]);

/** Returns the experiment of this name, made where it is not there. */
async function openExperiment(server: MlflowServer, name: string): Promise<Experiment> {
  type Found = { experiment: { experiment_id: string } };
  try {
    const { experiment } = await server.get<Found>("experiments/get-by-name", { experiment_name: name });
    return { id: experiment.experiment_id, runs: await exportedRuns(server, experiment.experiment_id) };
  } catch (error) {
    if (!(error instanceof CollapsarError && error.code === "not-found")) throw error;
    const { experiment_id: id } = await server.post<{ experiment_id: string }>("experiments/create", { name });
    return { id, runs: new Map() };
  }
}

async function exportedRuns(server: MlflowServer, experiment: string): Promise<Map<string, MlflowRun>> {
  const found = new Map<string, MlflowRun>();
  let page: string | undefined;
  do {
    const asked = { experiment_ids: [experiment], max_results: 1000, ...(page && { page_token: page }) };
    type Answer = { runs?: MlflowRun[]; next_page_token?: string };
    const { runs = [], next_page_token: next }: Answer = await server.post<Answer>("runs/search", asked);
    for (const run of runs) {
      const tags = new Map(run.data.tags?.map(({ key, value }) => [key, value]));
      const [id, protocol] = [tags.get("collapsar.run"), tags.get("collapsar.protocol")];
      if (id !== undefined && protocol !== undefined) found.set(keyOf(id, protocol), run);
    }
    page = next;
  } while (page);
  return found;
}

async function createRun(server: MlflowServer, experiment: string, { run, protocol, checkpoints }: Series) {
  const tags = [
    { key: "collapsar.run", value: run.id },
    { key: "collapsar.protocol", value: protocol },
  ];
  const started = Math.min(...checkpoints.map(({ evaluation }) => decodeTime(evaluation)));
  const asked = { experiment_id: experiment, run_name: run.id, start_time: started, tags };
  return (await server.post<{ run: MlflowRun }>("runs/create", asked)).run;
}

/**
 * Returns the checkpoints of which MLflow lacks the last of the values: they are sent in order, so one that was broken
 * off is sent again.
 */
async function missingCheckpoints(server: MlflowServer, { info }: MlflowRun, { checkpoints }: Series) {
  const last = (checkpoint: Checkpoint) => metricsOf(checkpoint).at(-1);
  const keys = new Set(checkpoints.map((checkpoint) => last(checkpoint)?.key).filter((key) => key !== undefined));
  const there = new Set<string>();
  for (const key of keys) {
    const asked = { run_id: info.run_id, metric_key: key };
    const { metrics = [] } = await server.get<{ metrics?: MlflowMetric[] }>("metrics/get-history", asked);
    for (const { timestamp, step } of metrics) there.add(JSON.stringify([key, Number(timestamp), Number(step)]));
  }
  return checkpoints.filter((checkpoint) => {
    const metric = last(checkpoint);
    return metric && !there.has(JSON.stringify([metric.key, metric.timestamp, metric.step]));
  });
}

/** The values of a checkpoint; the step of one without an epoch is 0. Its time is that of its submission. */
function metricsOf({ evaluation, epoch, values }: Checkpoint): MlflowMetric[] {
  const [timestamp, step] = [decodeTime(evaluation), epoch ?? 0];
  const names = Object.keys(values).sort();
  return names.map((name) => ({ key: mlflowName(name), value: values[name]!, timestamp, step }));
}

/** MLflow groups its charts by what is before a slash; what it does not take in a name is written as its code. */
function mlflowName(metric: string): string {
  return metric.replaceAll(":", "/").replace(/[^\w./ -]/g, (character) => `_${character.codePointAt(0)!.toString(16)}`);
}

/** What there is to say of a run besides its values. */
interface RunEntries {
  readonly params: readonly MlflowEntry[];
  readonly tags: readonly MlflowEntry[];
}

async function describe({ request }: Connection, { run, checkpoints }: Series): Promise<RunEntries> {
  const last = checkpoints.at(-1)!;
  const { protocolParts } = await request<EvaluationResource>(`/evaluations/${last.evaluation}`);
  const params = { seed: run.seed, group: run.group, dataset: last.dataset };
  const tags = {
    "collapsar.group": run.group,
    "collapsar.checkpoint": last.checkpoint.url,
    "collapsar.sha256": last.checkpoint.sha256,
    "collapsar.evaluation": last.evaluation,
    ...prefixed("collapsar.protocol.", protocolParts ?? {}),
    ...prefixed("collapsar.label.", run.labels),
  };
  return { params: entries(params), tags: entries(tags) };
}

function prefixed(prefix: string, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [prefix + key, value]));
}

function entries(fields: Readonly<Record<string, unknown>>): MlflowEntry[] {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value)).slice(0, LONGEST_TEXT);
  const known = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return known.map(([key, value]) => ({ key, value: text(value) }));
}

/** Sends the checkpoints, and of the entries what MLflow lacks (a param of MLflow is never changed). Returns how many values. */
async function log(
  server: MlflowServer,
  { info, data }: MlflowRun,
  checkpoints: readonly Checkpoint[],
  said: RunEntries,
) {
  const has = (there: readonly MlflowEntry[] = [], key: string) => there.find((entry) => entry.key === key)?.value;
  const params = said.params.filter(({ key }) => has(data.params, key) === undefined);
  const tags = said.tags.filter(({ key, value }) => has(data.tags, key) !== value);
  if (params.length + tags.length > 0) await server.post("runs/log-batch", { run_id: info.run_id, params, tags });
  const metrics = checkpoints.flatMap(metricsOf);
  for (let i = 0; i < metrics.length; i += METRICS_PER_BATCH)
    await server.post("runs/log-batch", { run_id: info.run_id, metrics: metrics.slice(i, i + METRICS_PER_BATCH) });
  return metrics.length;
}

async function finish(server: MlflowServer, { info }: MlflowRun, { checkpoints }: Series): Promise<void> {
  const ended = Math.max(...checkpoints.map(({ evaluation }) => decodeTime(evaluation)));
  await server.post("runs/update", { run_id: info.run_id, status: "FINISHED", end_time: ended });
}
