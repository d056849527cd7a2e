import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The command line, as it is started by a user. */
export const COLLAPSAR = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));

/** A line of a program's log. */
export interface Line {
  readonly msg: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly url?: string;
}

/** A program that runs. */
export interface Program {
  readonly pid: number;
  /** Returns the next line of its log that says `msg`. @throws Error where it ends before. */
  says(msg: string): Promise<Line>;
  stop(): Promise<void>;
}

/** Starts a Node.js program that logs JSON lines on standard error; of the environment it gets PATH, HOME and `env`. */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Program {
  const { PATH, HOME } = process.env;
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stderr! });
  const waiting = new Map<string, (line: Line) => void>();
  const said = new Map<string, Line[]>();
  lines.on("line", (text) => {
    const line = JSON.parse(text) as Line;
    const heard = waiting.get(line.msg);
    waiting.delete(line.msg);
    if (heard) heard(line);
    else if (line.msg !== "request") said.set(line.msg, [...(said.get(line.msg) ?? []), line]);
  });
  return {
    pid: child.pid!,
    async says(msg) {
      const before = said.get(msg)?.shift();
      if (before) return before;
      const { promise, resolve } = Promise.withResolvers<Line>();
      waiting.set(msg, resolve);
      const ended = exited.then(([code]) => {
        throw new Error(`${args.join(" ")} ended with ${code} before it said "${msg}"`);
      });
      return Promise.race([promise, ended]);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Returns the resident memory of a process, MB (10⁶ bytes). */
export function residentMegabytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return (Number(kibibytes) * 1024) / 1e6;
}
