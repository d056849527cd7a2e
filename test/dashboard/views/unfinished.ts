import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EvaluationList, EvaluationResource } from "../../../src/api/contract.ts";
import { submit } from "../../../src/commands/connection.ts";
import type { EvaluationRequest } from "../../../src/evaluation/request.ts";
import { checkpointBytes, fileUrl } from "../../api/samples.ts";
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

/** Submits an evaluation that takes half a minute on two cores, or less with a narrower network: of 7,203 digits. */
export async function submitSlow({ api, folder }: Dashboard, width = 48): Promise<EvaluationResource> {
  return submit(api, { checkpoint: await checkpointAt(folder, width), dataset: "digits" } as EvaluationRequest);
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
