import type { Report } from "../../test/faults/scenario.ts";
import { markdownTable } from "../study/text.ts";

/** Returns what a soak came to as tables in Markdown: the whole, and the faults one by one. */
export function soakTables({ plan, quiet, faulty, problems }: Report): string {
  const { seconds, workers, states, attempts, posts, peakMiB, values, faults, readiness, failures } = faulty;
  const { service, worker, evaluating } = peakMiB;
  const rows = [
    ["submissions, all accepted", `${plan.submissions}`],
    ["posts, by answer", counts(posts)],
    ["evaluations, by state at the end", counts(states)],
    ["values recorded", `${values}`],
    ["lost, twice, unended, or other than in the quiet run", `${problems.length}`],
    ["evaluations by number of attempts", counts(attempts)],
    ["workers ended by SIGKILL", `${workers.killed}`],
    ["… by SIGTERM, the slowest", `${workers.toldToStop}, ${workers.longestStopSeconds.toFixed(1)} s`],
    ["… started while the database was away, and ended", `${workers.neverReady}`],
    ["quiet run", `${quiet.seconds.toFixed(0)} s`],
    ["amid faults, until the last was over", `${seconds.faults.toFixed(0)} s`],
    ["then until the queue was empty", `${seconds.drain.toFixed(1)} s`],
    [
      "peak memory of a service, a worker, its process",
      [service, worker, evaluating].map((n) => `${n} MiB`).join(", "),
    ],
    ["failures logged by workers", counts(failures.workers)],
    ["… by the one with the full disk", counts(failures.cramped)],
  ];
  const events = faults.map(({ name, began, ended }) => {
    const ready = readiness.find(({ fault }) => fault === name);
    const after = ready ? `${ready.readyAfterSeconds.toFixed(1)} s` : "";
    return [
      name,
      `${began.toFixed(0)} s`,
      `${(ended - began).toFixed(0)} s`,
      ready ? `${ready.looks - ready.wrong} of ${ready.looks}` : "",
      after,
    ];
  });
  const headings = ["fault", "began at", "lasted", "`/readyz` said 503", "ready again after"];
  return `${markdownTable(["", "amid faults"], rows)}\n\n${markdownTable(headings, events)}`;
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .map(([name, count]) => `${name}: ${count}`)
    .join(", ");
}
