import { CollapsarError } from "../errors.ts";
import { redactUrl } from "../storage/url.ts";
import type { EvaluationRequest } from "./request.ts";
import { runSchema } from "./request.ts";

/** Where a checkpoint belongs: its run, what is known of the run, and its epoch within it. */
export interface Place {
  readonly run: string;
  readonly experiment: string | null;
  readonly group: string | null;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly labels: Readonly<Record<string, string>>;
}

const DIGEST_CHARACTERS = 8;

/**
 * Returns the place that the request says, or else the checkpoint's metadata (`run`, `experiment`, `group`, `seed`,
 * `epoch`). A checkpoint of which neither names a run is a run of its own, named after its file and digest.
 * @throws CollapsarError `invalid-metadata` that names the key, its value and what was expected.
 */
export function placeOf(
  { checkpoint, run: asked = {} }: EvaluationRequest,
  metadata: Readonly<Record<string, string>>,
  sha256: string,
): Place {
  const { run: id, experiment, group, seed, epoch } = metadata;
  // what the request says is not looked for in the metadata, which then may be anything
  const stated = {
    id: asked.id ?? id,
    experiment: asked.experiment ?? experiment,
    group: asked.group ?? group,
    seed: asked.seed ?? (seed === undefined ? undefined : Number(seed)),
    epoch: asked.epoch ?? (epoch === undefined ? undefined : Number(epoch)),
  };
  const parsed = runSchema.safeParse(stated);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const key = issue.path[0] === "id" ? "run" : String(issue.path[0]);
    const message = `checkpoint metadata ${key}=${JSON.stringify(metadata[key])}: ${issue.message}`;
    throw new CollapsarError("invalid-metadata", message);
  }
  const known = parsed.data;
  return {
    run: known.id ?? ownRun(checkpoint, sha256),
    experiment: known.experiment ?? null,
    group: known.group ?? null,
    seed: known.seed ?? null,
    epoch: known.epoch ?? null,
    labels: asked.labels ?? {},
  };
}

function ownRun(url: string, sha256: string): string {
  const file = decodeURIComponent(redactUrl(url).split("/").at(-1)!).replace(/\.[^.]*$/, "");
  const name = file.replaceAll(/[^A-Za-z0-9._+-]/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "checkpoint";
  return `${name.slice(0, 100)}-${sha256.slice(0, DIGEST_CHARACTERS)}`;
}
