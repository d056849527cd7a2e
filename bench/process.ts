import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** How often a program's peak memory is looked at; the kernel keeps the peak, so only growth in the last moment is missed. */
const POLL_MILLISECONDS = 50;

/** What one run of a program gave. */
export interface Finished {
  /** The JSON it printed. */
  readonly printed: Readonly<Record<string, unknown>>;
  /** From start to exit. */
  readonly seconds: number;
  /** Peak resident memory of its process (not of processes it starts); null where there is no /proc. */
  readonly peakMiB: number | null;
}

/** Runs a program that prints JSON. @throws Error with its last line on standard error, where it fails. */
export async function runProgram([command, ...args]: readonly [string, ...string[]]): Promise<Finished> {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let peakMiB: number | null = null;
  const poll = setInterval(() => {
    peakMiB = readPeak(child.pid) ?? peakMiB;
  }, POLL_MILLISECONDS);
  try {
    const exited = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    const [stdout, stderr, status] = await Promise.all([
      child.stdout.setEncoding("utf8").toArray(),
      child.stderr.setEncoding("utf8").toArray(),
      exited,
    ]);
    const seconds = (performance.now() - begun) / 1000;
    if (status !== 0) throw new Error(stderr.join("").trim().split("\n").at(-1) || `exit status ${status}`);
    return { printed: JSON.parse(stdout.join("")), seconds, peakMiB };
  } finally {
    clearInterval(poll);
  }
}

function readPeak(pid: number | undefined): number | null {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) / 1024;
  } catch {
    return null; // no /proc, or the process has just ended
  }
}
