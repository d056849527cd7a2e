import type { ChildProcess } from "node:child_process";
import { ask, startChild } from "../../src/engines/onnx/child.ts";
import type { OnnxNetwork } from "../../src/networks/network.ts";

let child: ChildProcess | undefined;
let started = 0;

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
  await ask(child, { file, device: "cpu", input, outputs, shape: [channels, height, width], affine: null }, 2_000);
  await ask(child, { images, count: 1 }, 2_000);
}

/** Ends the child; returns how many there were. */
export function closeAll(): number {
  child?.kill("SIGKILL");
  return started;
}
