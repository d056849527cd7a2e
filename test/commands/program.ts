import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The program as a user starts it. */
export const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in `cwd` with `env` added to the environment, on the embedded database unless that says otherwise. */
export function runProgram(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  const { DATABASE_URL: _, ...rest } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { cwd, env: { ...rest, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** A `serve` or `worker` that is ready. */
export interface Started {
  readonly child: ChildProcess;
  /** Base URL of a service. */
  readonly url: string;
  /** Lines of its log so far. */
  readonly log: Record<string, unknown>[];
}

/** Starts `serve` or `worker` in `cwd` with exactly `env` as its environment, and returns when it is ready. */
export async function startProgram(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  const log: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stderr! });
  const ready = new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const said = line.startsWith("{") ? JSON.parse(line) : { msg: line };
      log.push(said);
      if (said.msg === "serving" || said.msg === "working") resolve(String(said.url));
    });
    child.once("close", () => reject(new Error(`collapsar ${args.join(" ")} ended: ${JSON.stringify(log.at(-1))}`)));
  });
  return { child, url: await ready, log };
}

/** Ends a process as its operator would, and returns its exit code once it has; of one that has ended, at once. */
export async function stopProgram({ child }: Started, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  const [code] = await ended;
  return code;
}
