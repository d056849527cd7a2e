import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { type Connection, connectionTo, connectToHolder, serviceAt } from "./connection.ts";
import type { OodSets } from "./options.ts";
import { absoluteOod } from "./references.ts";
import { openSubmissions, type SubmissionEvent, type Submissions } from "./submissions.ts";

/** Where and against what the checkpoints of a batch are evaluated. */
export interface EvaluationChoice {
  /** URL of a service; true for the one that has the database, or one of this process. */
  readonly evaluate: string | true;
  readonly ood: OodSets;
}

/** What the service of this process has to read: folders of files, and the store. */
export interface Reads {
  readonly store: string;
  readonly dataset: string;
}

/** Submissions, and the end of what serves them. */
export interface TrainEvaluation extends Submissions {
  close(): Promise<void>;
}

/**
 * Opens the evaluation of a batch's checkpoints. A service of this process is waited for until it has evaluated all, any
 * other goes on by itself.
 * @throws CollapsarError `database-locked`, `database-unavailable`.
 */
export async function openTrainEvaluation(
  config: Config,
  { evaluate, ood }: EvaluationChoice,
  reads: Reads,
  onEvent: (event: SubmissionEvent) => void,
): Promise<TrainEvaluation> {
  const sets = absoluteOod(ood);
  const other = evaluate === true ? connectToHolder(config) : serviceAt(evaluate.replace(/\/+$/, ""), config.token);
  const { service, close } = other ? { service: other, close: other.close } : await serveHere(config, reads, sets);
  return { ...openSubmissions(service, { ood: sets, waits: other === null, onEvent }), close };
}

/** It reads what the batch reads, on no account but that of who started it. */
async function serveHere(
  config: Config,
  { store, dataset }: Reads,
  ood: OodSets,
): Promise<{ service: Connection; close: () => Promise<void> }> {
  const { serve } = await import("../api/serve.ts");
  const files = [dataset, ...ood.map(referenceOf)].filter((reference) => reference.startsWith("file://"));
  const folders = [
    ...files.map((file) => dirname(fileURLToPath(file))),
    ...(store.startsWith("file://") ? [fileURLToPath(store)] : []),
  ];
  const here = { ...config, host: "127.0.0.1", port: 0, fileRoots: [...config.fileRoots, ...folders] };
  const { request, stop } = await serve(here, { command: "collapsar train --evaluate" });
  return { service: connectionTo(request), close: stop };
}

function referenceOf(entry: OodSets[number]): string {
  return typeof entry === "string" ? entry : entry.set;
}
