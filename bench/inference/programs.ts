import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { THREADS } from "../machine.ts";
import type { Python } from "../python.ts";
import { type BenchFiles, WIDTH } from "./files.ts";

const COLLAPSAR = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const PEER = fileURLToPath(new URL("peer.py", import.meta.url));
const BARE_SESSION = fileURLToPath(new URL("bareSession.ts", import.meta.url));

export type Command = readonly [string, ...string[]];

/** One row of the bench: a program that extracts features of the same images with the same weights. */
export interface Program {
  readonly name: string;
  readonly title: string;
  /** Finds what it needs for being fast, on a few images: a peer its batch size, which it prints as `batch`. */
  trial(files: BenchFiles): Command;
  /** Extracts all images into `out` and prints `imagesPerSecond`. */
  timed(files: BenchFiles, out: string, batch: number | null): Command;
}

/** The name of the row the others are compared to. */
export const OURS = "collapsar";

/** Returns all rows of the bench, ours first. */
export function programsOf(python: Python): readonly Program[] {
  return [
    collapsar(OURS, "collapsar extract", "onnxruntime"),
    collapsar("collapsar-tensorflow", "collapsar extract --engine tensorflow", "tensorflow"),
    loop("bare-session", "onnxruntime-node session in a loop", [process.execPath, BARE_SESSION], () => []),
    ...(
      [
        ["torch-eager", "PyTorch eager"],
        ["torch-channels-last", "PyTorch eager, channels_last"],
        ["torch-compile", "torch.compile, freezing"],
        ["torch-compile-channels-last", "torch.compile, freezing, channels_last"],
        ["onnxruntime-python", "onnxruntime (Python)"],
        ["openvino", "OpenVINO float32"],
      ] as const
    ).map(([name, title]) =>
      loop(name, title, [python.path, PEER, name], ({ arch }) => ["--arch", arch, "--width", String(WIDTH)]),
    ),
  ];
}

function collapsar(name: string, title: string, engine: string): Program {
  const extract = ({ checkpoint }: BenchFiles, dataset: string, out: string): Command => {
    const args = ["extract", checkpoint, "--dataset", dataset, "--out", out, "--engine", engine, "--json"];
    return [process.execPath, COLLAPSAR, ...args];
  };
  return {
    name,
    title,
    trial: (files) => extract(files, files.trialImages, join(files.folder, "trial.out.safetensors")),
    timed: (files, out) => extract(files, files.images, out),
  };
}

function loop(name: string, title: string, command: Command, network: (files: BenchFiles) => string[]): Program {
  const common = (files: BenchFiles): Command => [
    ...command,
    ...["--folder", files.folder, "--threads", String(THREADS)],
    ...network(files),
  ];
  return {
    name,
    title,
    trial: common,
    timed: (files, out, batch) => [...common(files), "--batch", String(batch), "--out", out],
  };
}
