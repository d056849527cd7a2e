import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PROGRAM } from "../commands/program.ts";

/** A process is replaced after so long, as an orchestrator would. */
const REPLACE_MILLISECONDS = 300;
const PEAK_MILLISECONDS = 500;

/** How one process of a member ended. */
export interface Ending {
  /** What it was sent, or null: it ended by itself. */
  readonly asked: NodeJS.Signals | null;
  /** Whether it had said that it is ready. */
  readonly ready: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From what it was sent to its exit. */
  readonly seconds: number;
}

/** `collapsar serve` or `collapsar worker`, each time it ends started again. */
export interface Member {
  readonly name: string;
  /** Where its process serves; undefined until it is ready, and of a worker. */
  readonly url: string | undefined;
  readonly isReady: boolean;
  readonly endings: readonly Ending[];
  /** How many lines of its log tell of a failure, by code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of the largest of its processes, and of the largest process that one of them had started. */
  readonly peakMiB: { readonly own: number; readonly child: number };
  /** Returns when the present process says that it serves, or works. */
  ready(): Promise<void>;
  /** Sends the signal to the present process, and returns when that has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** As `end`, and starts none after it. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** What to run: arguments of `collapsar`; `shell` is run by a shell before them, in the same process. */
export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly shell?: () => string;
}

/** Starts a member; `hear` is told each line of its log that tells of a failure. */
export function keepRunning(
  { name, args, env, cwd, shell }: Command,
  hear: (member: string, line: string) => void,
): Member {
  const endings: Ending[] = [];
  const failures: Record<string, number> = {};
  let child: ChildProcess;
  let url: string | undefined;
  let readiness = Promise.withResolvers<void>();
  let isReady = false;
  let asked: { signal: NodeJS.Signals; at: number } | null = null;
  let exited: Promise<void>;
  let stopping = false;
  let peakMiB = { own: 0, child: 0 };
  const poll = setInterval(() => {
    const ofChildren = childrenOf(child.pid).map(readPeak);
    peakMiB = { own: Math.max(peakMiB.own, readPeak(child.pid)), child: Math.max(peakMiB.child, ...ofChildren) };
  }, PEAK_MILLISECONDS);

  function start(): void {
    asked = null;
    isReady = false;
    const program = [process.execPath, PROGRAM, ...args];
    const [command, ...rest] = shell ? ["/bin/sh", "-c", `${shell()}\nexec "$0" "$@"`, ...program] : program;
    child = spawn(command!, rest, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    createInterface({ input: child.stderr! }).on("line", read);
    exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        const seconds = asked ? (performance.now() - asked.at) / 1000 : 0;
        endings.push({ asked: asked?.signal ?? null, ready: isReady, code, signal, seconds });
        if (isReady) readiness = Promise.withResolvers();
        isReady = false;
        if (!stopping) sleep(REPLACE_MILLISECONDS).then(() => stopping || start());
        resolve();
      });
    });
  }

  function read(line: string): void {
    const said = parse(line);
    if (said.msg === "serving" || said.msg === "working") {
      url = said.url;
      isReady = true;
      readiness.resolve();
    }
    if (said.level !== undefined && said.level < 50) return;
    const code = said.code ?? /\(([a-z-]+)\)$/.exec(line)?.[1] ?? "no code"; // before there is a log the code stands at the end
    failures[code] = (failures[code] ?? 0) + 1;
    hear(name, line);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    asked = { signal, at: performance.now() };
    child.kill(signal);
    await exited;
  }

  const kill = () => child.kill("SIGKILL"); // what is broken off leaves nothing behind
  process.once("exit", kill);
  start();
  return {
    name,
    endings,
    failures,
    end,
    get url() {
      return url;
    },
    get isReady() {
      return isReady;
    },
    get peakMiB() {
      return peakMiB;
    },
    ready: () => readiness.promise,
    async stop(signal = "SIGTERM") {
      stopping = true;
      clearInterval(poll);
      if (child.exitCode === null && child.signalCode === null) await end(signal);
      process.off("exit", kill);
    },
  };
}

interface Said {
  readonly level?: number;
  readonly msg?: string;
  readonly url?: string;
  readonly code?: string;
}

function parse(line: string): Said {
  try {
    return JSON.parse(line) as Said;
  } catch {
    return {}; // not of the log: what the runtime itself says when it dies
  }
}

function childrenOf(pid: number | undefined): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function readPeak(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0; // no /proc, or the process has just ended
  }
}
