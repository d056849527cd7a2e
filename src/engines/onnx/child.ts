import { type ChildProcess, fork } from "node:child_process";
import { tmpdir, totalmem } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../../errors.ts";
import type { OnnxNetwork } from "../../networks/network.ts";
import type { DeviceName, ImageInput, Model } from "../engine.ts";
import { pixelAffine } from "../pixels.ts";
import type { Answer, LoadOrder, RunOrder } from "./sessionProcess.ts";
import { threadCandidates } from "./threads.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = fileURLToPath(new URL(`./sessionProcess${extname(import.meta.filename)}`, import.meta.url));

/** Bounds for what never ends: files load within seconds, and a batch of 256 images of 32×32 is 330 GMAC of a ResNet50. */
const LOAD_MILLISECONDS = 60_000;
const RUN_MILLISECONDS = 300_000;

/** What a file may make ONNX Runtime allocate: this share of the memory there is. More is refused to it, and it says so. */
const MEMORY_SHARE = 0.5;
const LIMITED = 'ulimit -d "$0" 2>/dev/null; exec "$@"';

/** The child needs nothing of the environment, and credentials least of all. */
const KEPT_VARIABLES = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"];

/**
 * Returns an ONNX file as a model that runs in a process of its own.
 * @throws CollapsarError `malformed-checkpoint` where ONNX Runtime refuses the file, or breaks or hangs over it;
 *   `wrong-shape` where it takes pixels and the images are already normalised.
 */
export async function loadInChild(network: OnnxNetwork, images: ImageInput, device: DeviceName): Promise<Model> {
  const { file, input, features, logits, channels } = network;
  if (input.kind === "pixels" && images.kind === "normalised")
    throw new CollapsarError("wrong-shape", "the images are normalised float32, the ONNX file takes uint8 pixels");
  const affine = images.kind === "pixels" && input.kind === "normalised" ? pixelAffine(network) : null;
  const child = startChild();
  const order: LoadOrder = {
    ...{ file, device, input, affine, threads: threadCandidates()[0]! },
    outputs: { features, logits },
    shape: [channels, images.height, images.width],
  };
  await ask(child, order, LOAD_MILLISECONDS).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    async run(batch, count) {
      const answer = await ask(child, { images: batch, count }, RUN_MILLISECONDS);
      const [rows, columns] = [answer.features!, answer.logits!];
      if (rows.length !== count * network.dimensions || columns.length !== count * network.classes)
        throw malformed(
          `its features and logits are ${rows.length / count} and ${columns.length / count} numbers an image, its classifier has ${network.dimensions} and ${network.classes}`,
        );
      return { features: rows, logits: columns };
    },
    async dispose() {
      child.kill("SIGKILL");
    },
  };
}

/** Returns a process that waits for a file to load. */
export function startChild(): ChildProcess {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const kilobytes = Math.floor((MEMORY_SHARE * memory) / 1024);
  const limited = process.platform !== "win32";
  const kept = KEPT_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return fork(PROGRAM, {
    cwd: tmpdir(),
    env: Object.fromEntries(kept),
    // as `fork` has it, these two come before the program; the shell makes way for Node, and its limit stays
    ...(limited && { execPath: "/bin/sh" }),
    execArgv: limited ? ["-c", LIMITED, String(kilobytes), process.execPath] : [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
}

/**
 * Sends one order and returns the answer. A child that dies, or takes longer than that many milliseconds, is ended.
 * @throws CollapsarError `malformed-checkpoint` that says what ONNX Runtime said.
 */
export async function ask(
  child: ChildProcess,
  order: LoadOrder | RunOrder,
  milliseconds: number,
): Promise<Answer & { ok: true }> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const died = (code: number | null, signal: string | null) =>
    reject(malformed(`ONNX Runtime died over it (${signal ?? `exit code ${code}`})`));
  const timer = setTimeout(
    () => reject(malformed(`ONNX Runtime was not done with it in ${milliseconds / 1000} s`)),
    milliseconds,
  );
  child.once("message", resolve);
  child.once("exit", died);
  const broken = (error: Error) => reject(notRunning(error));
  child.once("error", broken);
  try {
    child.send(order, (error) => error && broken(error));
    const answer = await promise.catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
    if (!answer.ok) throw malformed(`ONNX Runtime: ${answer.message}`);
    return answer;
  } finally {
    clearTimeout(timer);
    child.off("message", resolve).off("exit", died).off("error", broken);
  }
}

function notRunning(cause: Error): CollapsarError {
  return new CollapsarError("missing-engine", `the process for ONNX files does not run: ${cause.message}`, { cause });
}

function malformed(what: string): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `the ONNX file cannot be run: ${what}`);
}
