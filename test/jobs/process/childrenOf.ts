import { readdirSync, readFileSync } from "node:fs";

/** Returns the processes for operations that `pid` has. */
export function childrenOf(pid: number = process.pid): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("jobs/process/program"));
}
