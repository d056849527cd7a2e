import { fork } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../../errors.ts";
import type { Evaluator, OperationCall } from "../evaluator.ts";
import { HAPPENINGS, type OperationSettings, receivedError, type ToChild, type ToParent } from "./messages.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = fileURLToPath(new URL(`./program${extname(import.meta.filename)}`, import.meta.url));
const STARTUP = new URL("../../../bin/startup.js", import.meta.url).href;

/** A child that does not stop when it is told to is ended: with the half second of the watch, within the 2 s of a cancel. */
const ABORT_MILLISECONDS = 1000;

/** What is not for a process that reads files of others: the database, webhooks and tokens are none of its business. */
const KEPT_BACK = /^(COLLAPSAR_|DATABASE_URL$|PG[A-Z]|OTEL_)/;

/** A process that does operations, one at a time. */
export interface Child extends Evaluator {
  /** Whether it may be given an operation. */
  readonly alive: boolean;
  /** Says whether this process stays for the sake of that one. */
  hold(holding: boolean): void;
  /** Ends it. */
  end(): Promise<void>;
}

/**
 * Starts a process for operations. It has a folder of its own for temporary files, which is removed with it, and ends when
 * this process does. What it is asked for rejects with `process-died` (retryable) when it dies over it.
 */
export function startChild(settings: OperationSettings): Child {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-"));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !KEPT_BACK.test(name)));
  const child = fork(PROGRAM, {
    env: { ...env, TMPDIR: folder },
    execArgv: ["--import", STARTUP],
    serialization: "advanced",
    stdio: ["ignore", 2, 2, "ipc"], // standard output is for results
  });
  let notStarted: Error | undefined;
  const ended = once(child, "exit")
    .catch((error) => {
      notStarted = error;
    })
    .then(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const say = (message: ToChild) => child.send(message, () => {}); // if it is gone, that shows by itself

  async function run(name: never, order: never, call: OperationCall): Promise<never> {
    const { signal } = call;
    signal.throwIfAborted();
    let patience: NodeJS.Timeout | undefined;
    const abort = () => {
      say({ is: "abort" });
      patience = setTimeout(() => child.kill("SIGKILL"), ABORT_MILLISECONDS);
    };
    signal.addEventListener("abort", abort);
    const messages = on(child, "message", { close: ["disconnect"] });
    say({ is: "order", name, order, settings });
    try {
      const last = await hear(messages, call);
      if (last.is === "failed") throw receivedError(last.error);
      return last.result as never;
    } catch (error) {
      signal.throwIfAborted();
      throw error === notStarted ? died(`it did not start: ${notStarted?.message}`) : error;
    } finally {
      clearTimeout(patience);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Returns the last message. All is heard in the context of who asked: spans and lines of log are of the attempt. */
  async function hear(messages: AsyncIterable<unknown[]>, { onProgress, findRecorded }: OperationCall) {
    try {
      for await (const [message] of messages as AsyncIterable<[ToParent]>) {
        if (message.is === "done" || message.is === "failed") return message;
        if (message.is === "progress") onProgress?.(message.progress);
        else if (message.is === "happened") HAPPENINGS[message.event].tell(message.message as never);
        else {
          const recorded = await findRecorded?.(message.sha256, message.protocol);
          say({ is: "answer", recorded: recorded ?? null });
        }
      }
    } catch (error) {
      child.kill("SIGKILL"); // it waits for what will not come
      throw error;
    }
    await ended;
    throw died(child.signalCode ?? `exit code ${child.exitCode}`);
  }

  return {
    run: run as Evaluator["run"],
    get alive() {
      return child.connected && !child.killed;
    },
    hold(holding) {
      for (const handle of [child, child.channel!]) holding ? handle.ref() : handle.unref();
    },
    async end() {
      if (child.connected) child.disconnect();
      const patience = setTimeout(() => child.kill("SIGKILL"), ABORT_MILLISECONDS);
      await ended;
      clearTimeout(patience);
    },
  };
}

function died(how: string): CollapsarError {
  const hint = how === "SIGKILL" || how === "SIGABRT" ? ": too little memory is the usual reason" : "";
  return new CollapsarError("process-died", `the process that was at the evaluation died (${how})${hint}`);
}
