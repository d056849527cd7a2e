import type { Database } from "../../src/database/database.ts";
import type { Evaluation } from "../../src/database/evaluations.ts";
import { type Numbers, type RecordDescription, recordEvaluation } from "../../src/database/record.ts";
import { type Submission, submitEvaluation } from "../../src/database/submissions.ts";

let count = 0;

/** Returns a name that no other test uses. */
export function fresh(prefix: string): string {
  count += 1;
  return `${prefix}-${process.pid}-${count}`;
}

/** Returns a submission; without a key, one like no other. */
export function submission(changes: Partial<Submission> = {}): Submission {
  return {
    request: { checkpoint: "s3://models/a.safetensors", run: { seed: 1 } },
    presigned: null,
    requestKey: fresh("key"),
    checkpointUrl: "s3://models/a.safetensors",
    checkpointEtag: '"1f"',
    checkpointSize: 5_000_000_000, // more than 32 bits hold
    force: false,
    ...changes,
  };
}

export interface OutcomeChanges {
  run?: Partial<RecordDescription["run"]>;
  epoch?: number | null;
  sha256?: string;
  protocol?: string;
  dataset?: string;
  values?: Record<string, number>;
  omitted?: Record<string, string>;
}

/** Returns an outcome; without changes, of a run and of bytes like no other. */
export function outcome(changes: OutcomeChanges = {}): RecordDescription & Numbers {
  const { run, epoch = 1, sha256 = fresh("sha"), protocol = "p1", dataset = "digits", values = { nc1: 0.5 } } = changes;
  return {
    run: { id: fresh("run"), ...run },
    checkpoint: { epoch, sha256, url: "s3://models/a.safetensors", size: 12, metadata: { arch: "resnet18" } },
    protocol,
    protocolParts: { dataset: { name: dataset, digest: `digest of ${dataset}` } },
    engine: { version: "1.30.0", device: "cpu" },
    values,
    omitted: changes.omitted ?? { "auroc:mnist:gmm": "no such set was asked for" },
    details: { collapse: { classes: 10 } },
    seconds: { extract: 1.5 },
  };
}

/** Submits an evaluation and records the outcome for it. */
export async function evaluated(database: Database, changes: OutcomeChanges = {}, force = false): Promise<Evaluation> {
  const { evaluation } = await submitEvaluation(database, submission({ force }));
  return recordEvaluation(database, evaluation.id, outcome(changes));
}
