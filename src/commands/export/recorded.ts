import type { RunList, RunMetrics } from "../../api/contract.ts";
import type { Connection } from "../connection.ts";

/** Which runs to export; all where nothing is said. */
export interface RunSelection {
  readonly experiment?: string | undefined;
  readonly group?: string | undefined;
}

/** A run, and what was measured of each of its checkpoints, in order of epoch. */
export interface RecordedRun {
  readonly run: RunList["items"][number];
  readonly metrics: RunMetrics["metrics"];
}

/** Requests under way at a time, so that a service far away is not waited for run by run. */
const AT_A_TIME = 8;

/** Yields the runs that have metrics, in order of id; of several evaluations of the same the one that counts. */
export async function* recordedRuns(connection: Connection, selection: RunSelection): AsyncGenerator<RecordedRun> {
  for await (const runs of pagesOfRuns(connection, selection)) {
    const evaluated = runs.filter(({ checkpoints }) => checkpoints > 0);
    for (let i = 0; i < evaluated.length; i += AT_A_TIME)
      yield* await Promise.all(evaluated.slice(i, i + AT_A_TIME).map((run) => withMetrics(connection, run)));
  }
}

async function withMetrics(connection: Connection, run: RecordedRun["run"]): Promise<RecordedRun> {
  const { metrics } = await connection.request<RunMetrics>(`/runs/${encodeURIComponent(run.id)}/metrics`);
  return { run, metrics };
}

async function* pagesOfRuns(connection: Connection, { experiment, group }: RunSelection) {
  let cursor: string | null = "";
  while (cursor !== null) {
    const asked = { experiment, group, limit: "1000", cursor: cursor || undefined };
    const query = new URLSearchParams(Object.entries(asked).filter((entry): entry is [string, string] => !!entry[1]));
    const page: RunList = await connection.request<RunList>(`/runs?${query}`);
    yield page.items;
    cursor = page.next;
  }
}
