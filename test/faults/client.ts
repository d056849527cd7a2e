import { setTimeout as sleep } from "node:timers/promises";
import type { Submission } from "./submissions.ts";

const REPEAT_MILLISECONDS = 250;
/** A client that hears nothing for so long repeats itself. */
const PATIENCE_MILLISECONDS = 15_000;

/** What came of the posts. */
export interface Posted {
  /** The evaluation that answered each submission, in their order. */
  readonly ids: readonly string[];
  /** How many posts were answered so, by status; `none` where the connection broke. */
  readonly answers: Readonly<Record<string, number>>;
  /** Until the last was accepted. */
  readonly seconds: number;
}

/**
 * Posts each submission to one of the services in turn, `perSecond` of them, every seventh twice at the same moment, and
 * one that is not accepted again and again. @throws Error where a service refuses one for good (4xx).
 */
export async function postAll(
  submissions: readonly Submission[],
  services: readonly { readonly url: string | undefined }[],
  perSecond: number,
  onAccepted: (count: number) => void,
): Promise<Posted> {
  const answers: Record<string, number> = {};
  const begun = performance.now();
  let accepted = 0;
  const ids = submissions.map(async (submission, i) => {
    await sleep(Math.max(0, begun + (i / perSecond) * 1000 - performance.now()));
    const posts = Array.from({ length: i % 7 === 6 ? 2 : 1 }, (_, copy) => postUntilAccepted(submission, i + copy));
    const [id, other = id] = await Promise.all(posts);
    if (id !== other) throw new Error(`one submission became two evaluations, ${id} and ${other}`);
    accepted += 1;
    onAccepted(accepted);
    return id!;
  });
  return { ids: await Promise.all(ids), answers, seconds: (performance.now() - begun) / 1000 };

  async function postUntilAccepted(submission: Submission, from: number): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const { url } = services[(from + attempt) % services.length]!;
      const answer = await post(`${url}/evaluate`, submission).catch(() => null);
      const status = answer ? String(answer.status) : "none";
      answers[status] = (answers[status] ?? 0) + 1;
      if (answer && answer.status < 300) return answer.body.id;
      if (answer && answer.status < 500) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
      await sleep(REPEAT_MILLISECONDS);
    }
  }
}

async function post(url: string, body: object): Promise<{ status: number; body: { id: string } }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
  });
  return { status: response.status, body: (await response.json()) as { id: string } };
}
