/** The program of one child process of a batch: trains the one run it is told to, and tells how it goes. */
import { readConfig } from "../config.ts";
import { asCollapsarError, type ErrorCode } from "../errors.ts";
import { openStorage } from "../storage/open.ts";
import type { RunProgress } from "./event.ts";
import type { Recipe } from "./recipe.ts";
import { trainRun } from "./run.ts";

/** What the parent sends, once. */
export interface Order {
  readonly recipe: Recipe;
  /** URL below which checkpoints are pushed. */
  readonly to: string;
}

/** What the child sends: progress with the peak of its memory (bytes), and at most one error. */
export type Report =
  | (RunProgress & { readonly memory: number })
  | { readonly phase: "failed"; readonly code: ErrorCode; readonly message: string };

// The channel is the only way to stop a run, and also closes when the parent dies: it ends with the step it is in, and no
// upload is torn. Ctrl-C reaches all processes of a terminal, and the parent answers it by closing the channel.
process.on("SIGINT", () => {});
process.once("message", async ({ recipe, to }: Order) => {
  try {
    const sources = { data: readConfig().data, storage: openStorage({ fileRoots: null }) };
    for await (const progress of trainRun(recipe, to, sources)) {
      if (!process.connected) break;
      await report({ ...progress, memory: process.resourceUsage().maxRSS * 1024 });
    }
  } catch (error) {
    const { code, message } = asCollapsarError(error);
    await report({ phase: "failed", code, message });
  }
  process.exit();
});

function report(message: Report): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // an error here is a parent that is gone, which `connected` tells as well
  process.connected ? process.send!(message, () => resolve()) : resolve();
  return promise;
}
