import { fileURLToPath } from "node:url";
import { THREADS } from "../machine.ts";
import type { Python } from "../python.ts";
import { type Case, SGD, startOf } from "./cases.ts";

const OURS = fileURLToPath(new URL("ours.ts", import.meta.url));
const PEER = fileURLToPath(new URL("peer.py", import.meta.url));

/** A program that trains one case and prints `imagesPerSecond` and the `losses` of its first steps. */
export interface Program {
  readonly name: string;
  readonly title: string;
  command(of: Case): readonly [string, ...string[]];
}

/** Returns the programs that train a case, ours on native TensorFlow first. WASM trains slim networks. */
export function programsOf(python: Python, { width }: Case): readonly Program[] {
  return [
    ours("collapsar", "collapsar, native TensorFlow", "tensorflow"),
    ...(width < 16 ? [ours("collapsar-wasm", "collapsar, WASM, one thread", "wasm", 1 / 6)] : []),
    torch(python, "torch-contiguous", "PyTorch eager", "contiguous"),
    torch(python, "torch-channels-last", "PyTorch eager, channels_last", "channels_last"),
  ];
}

/** `share`: of the steps of a case, for what is slower. */
function ours(name: string, title: string, engine: string, share = 1): Program {
  const command = (of: Case) => [process.execPath, OURS, of.name, engine, String(of.steps * share)] as const;
  return { name, title, command };
}

function torch(python: Python, name: string, title: string, layout: string): Program {
  return {
    name,
    title,
    command: (of) => [
      ...([python.path, PEER, layout, "--start", startOf(of)] as const),
      ...["--width", String(of.width), "--steps", String(of.steps), "--threads", String(THREADS)],
      ...["--learning-rate", String(SGD.learningRate), "--momentum", String(SGD.momentum)],
      ...["--weight-decay", String(SGD.weightDecay)],
    ],
  };
}
