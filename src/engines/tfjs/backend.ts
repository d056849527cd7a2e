import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { CollapsarError } from "../../errors.ts";

let started: Promise<void> | undefined;

/**
 * Starts TensorFlow.js on its WASM backend, once per process; afterwards all of `tf` runs there. One thread (on Node tfjs
 * has no more), SIMD where the processor has it; the binary is read from the installed package.
 * @throws CollapsarError `missing-engine` where WebAssembly does not start.
 */
export function startWasm(): Promise<void> {
  started ??= leavingProcessEventsAlone(async () => {
    const running = await tf.setBackend("wasm");
    if (!running) throw new CollapsarError("missing-engine", "the WASM backend of TensorFlow.js does not start here");
  });
  return started;
}

const PROCESS_EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/** Emscripten's glue installs listeners that throw whatever the whole process meets: those `start` adds are taken off. */
async function leavingProcessEventsAlone(start: () => Promise<void>): Promise<void> {
  const before = PROCESS_EVENTS.flatMap((event) => process.listeners(event as "uncaughtException"));
  await start();
  for (const event of PROCESS_EVENTS)
    for (const listener of process.listeners(event as "uncaughtException"))
      if (!before.includes(listener)) process.off(event, listener);
}
