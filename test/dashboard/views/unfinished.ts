import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EvaluationList, EvaluationResource } from "../../../src/api/contract.ts";
import { submit } from "../../../src/commands/connection.ts";
import type { EvaluationRequest } from "../../../src/evaluation/request.ts";
import { checkpointBytes, fileUrl } from "../../api/samples.ts";
import { childrenOf } from "../../jobs/process/childrenOf.ts";
import { eventually } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";

let written = 0;

/** Returns the URL of a checkpoint like no other; `width` decides how long its evaluation takes. */
export async function checkpointAt(folder: string, width = 2): Promise<string> {
  const name = `untrained-${++written}.safetensors`;
  await writeFile(
    join(folder, name),
    checkpointBytes({ spec: { width }, seed: written, metadata: { run: `late-${written}` } }),
  );
  return fileUrl(folder, name);
}

/** Submits an evaluation of 7,203 digits by a network of that width. */
export async function submitSlow({ api, folder }: Dashboard, width: number): Promise<EvaluationResource> {
  return submit(api, { checkpoint: await checkpointAt(folder, width), dataset: "digits" } as EvaluationRequest);
}

/** Submits an evaluation and returns it once its process stands still at work: it has the worker until it is cancelled. */
export async function held(dashboard: Dashboard): Promise<EvaluationResource> {
  const evaluation = await submitSlow(dashboard, 24);
  const now = () => dashboard.api.request<EvaluationResource>(`/evaluations/${evaluation.id}`);
  await eventually(async () => (await now()).progress).not.toBeNull();
  for (const child of childrenOf()) process.kill(child, "SIGSTOP");
  return now();
}

/** Returns an evaluation that failed, for its dataset `name` is none. */
export async function failed({ api, folder }: Dashboard, name: string): Promise<EvaluationResource> {
  await writeFile(join(folder, name), "no images");
  const body = { checkpoint: await checkpointAt(folder), dataset: fileUrl(folder, name) };
  return submit(api, body as EvaluationRequest, 300);
}

/** Cancels all that has not ended. */
export async function cancelAll({ api }: Dashboard): Promise<void> {
  for (const status of ["queued", "running"])
    for (const { id } of (await api.request<EvaluationList>(`/evaluations?status=${status}`)).items)
      await api.request(`/evaluations/${id}/cancel`, { method: "POST" }).catch(() => {}); // it may just have ended
}
