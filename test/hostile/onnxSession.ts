import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { ask, startChild } from "../../src/engines/onnx/child.ts";
import type { OnnxNetwork } from "../../src/networks/network.ts";

/** Where a broken number asks for endless work, this ends it, as the engine's own limits do with whole networks. */
const MILLISECONDS = 800;

/** The first file is a good one, for which the process is to be started, on a machine that may do much else. */
const FIRST_MILLISECONDS = 30_000;

let child: ChildProcess | undefined;
let started = 0;
let memory = 0;
let before: number | undefined;

/** Loads and runs the network in a child process that is kept as long as it lives: starting one for each takes 0.2 s. */
export async function runOnce(network: OnnxNetwork): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null || child.killed) {
    child = startChild();
    started++;
  }
  const { file, input, features, logits, channels, size } = network;
  const { height, width } = size ?? { height: 8, width: 8 };
  const images = new (input.kind === "pixels" ? Uint8Array : Float32Array)(channels * height * width);
  const outputs = { features, logits };
  const limit = before === undefined ? FIRST_MILLISECONDS : MILLISECONDS;
  await ask(
    child,
    { file, device: "cpu", threads: 2, input, outputs, shape: [channels, height, width], affine: null },
    limit,
  );
  await ask(child, { images, count: 1 }, limit);
  const peak = peakOf(child);
  before ??= peak;
  memory = Math.max(memory, peak - before);
}

/** Peak memory of a process in bytes, where the system tells it (Linux), else 0. */
function peakOf({ pid }: ChildProcess): number {
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Ends the child; returns how many there were, and their peak memory above what the first needed for a good file. */
export function closeAll(): { children: number; childMemory: number } {
  child?.kill("SIGKILL");
  return { children: started, childMemory: memory };
}
