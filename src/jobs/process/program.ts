/**
 * The program of a child process that does operations, one at a time. Numerics may take its thread for as long as they like,
 * and what breaks native code breaks this process and no other.
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Progress } from "../../evaluation/evaluate.ts";
import { partStoreIn } from "../../evaluation/shards/parts.ts";
import { openStorage } from "../../storage/open.ts";
import type { Evaluator } from "../evaluator.ts";
import { evaluatorHere } from "../operations.ts";
import { throttled } from "../throttled.ts";
import { HAPPENINGS, type OperationSettings, sentError, type ToChild, type ToParent } from "./messages.ts";

let evaluator: Evaluator | undefined;
let abort = new AbortController();
let answer: (recorded: string | null) => void = () => {};

process.on("message", (message: ToChild) => {
  if (message.is === "answer") answer(message.recorded);
  else if (message.is === "abort") abort.abort();
  else obey(message);
});

// the terminal and systemd tell these to all processes; what becomes of this one is for the parent to say
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

// by a signal: native threads that are at work are not waited for, as they would be by an exit
process.once("disconnect", () => {
  rmSync(tmpdir(), { recursive: true, force: true }); // this process has a folder for temporary files of its own
  process.kill(process.pid, "SIGKILL");
});

for (const [event, { hear }] of Object.entries(HAPPENINGS))
  hear((message: unknown) => say({ is: "happened", event, message } as ToParent));

async function obey({ name, order, settings }: ToChild & { is: "order" }): Promise<void> {
  evaluator ??= evaluatorFor(settings);
  abort = new AbortController();
  const call = {
    signal: abort.signal,
    onProgress: throttled((progress: Progress) => say({ is: "progress", progress })),
    findRecorded(sha256: string, protocol: string) {
      const { promise, resolve } = Promise.withResolvers<string | null>();
      answer = resolve;
      say({ is: "question", sha256, protocol });
      return promise;
    },
  };
  try {
    say({ is: "done", result: await evaluator.run(name, order, call) });
  } catch (error) {
    say({ is: "failed", error: sentError(error) });
  }
}

function evaluatorFor({ store, data, cache, ...rules }: OperationSettings): Evaluator {
  return evaluatorHere({ sources: { storage: openStorage(rules), data, cache }, parts: partStoreIn(store) });
}

function say(message: ToParent): void {
  process.send!(message, () => {}); // a parent that is gone hears nothing, and this process ends
}
