/**
 * The bare onnxruntime-node session in a loop: what the runtime gives when nothing is around it. Takes the same arguments
 * as peer.py, and prints the same JSON.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import ort from "onnxruntime-node";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { toOnnx } from "../../src/engines/onnx/toOnnx.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";

const BATCHES = [16, 32, 64, 128, 256];

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    threads: { type: "string" },
    batch: { type: "string" },
    out: { type: "string" },
  },
});
const folder = values.folder!;

async function main(): Promise<void> {
  const session = await openSession();
  if (values.batch === undefined) {
    const images = readImages("trial.safetensors");
    let best = { batch: 0, seconds: Number.POSITIVE_INFINITY };
    for (const batch of BATCHES) {
      const { seconds } = await runAll(session, images, batch);
      if (seconds < best.seconds) best = { batch, seconds };
    }
    console.log(JSON.stringify({ batch: best.batch }));
    return;
  }
  const images = readImages("images.safetensors");
  const { seconds, ...outputs } = await runAll(session, images, Number(values.batch));
  const count = images.shape[0]!;
  const tensors = Object.entries(outputs).map(([name, data]): [string, Tensor] => [
    name,
    { dtype: "F32", shape: [count, data.length / count], data },
  ]);
  writeFileSync(values.out!, writeSafetensors(tensors));
  console.log(JSON.stringify({ imagesPerSecond: count / seconds }));
}

async function openSession(): Promise<ort.InferenceSession> {
  const { network } = networkOf(readSafetensors(readFileSync(join(folder, "network.safetensors"))));
  if (network.kind !== "graph") throw new Error("the checkpoint of the bench is a ResNet");
  const file = toOnnx(network, { kind: "pixels", height: 32, width: 32 });
  return ort.InferenceSession.create(file, {
    graphOptimizationLevel: "all",
    intraOpNumThreads: Number(values.threads),
    logSeverityLevel: 3,
  });
}

function readImages(name: string): Tensor {
  return readSafetensors(readFileSync(join(folder, name))).tensors.get("images")!;
}

/** Runs all images; the first batch is run once more, before the clock. */
async function runAll(session: ort.InferenceSession, { shape, data }: Tensor, batch: number) {
  const [count, ...sides] = shape as [number, ...number[]];
  const size = data.length / count;
  const run = async (start: number, end: number) => {
    const pixels = (data as Uint8Array).subarray(start * size, end * size);
    const { features, logits } = await session.run({
      images: new ort.Tensor("uint8", pixels, [end - start, ...sides]),
    });
    return { features: features!.data as Float32Array, logits: logits!.data as Float32Array };
  };
  const first = await run(0, batch);
  const features = new Float32Array((first.features.length / batch) * count);
  const logits = new Float32Array((first.logits.length / batch) * count);
  const begun = performance.now();
  for (let start = 0; start < count; start += batch) {
    const outputs = await run(start, Math.min(start + batch, count));
    features.set(outputs.features, (features.length / count) * start);
    logits.set(outputs.logits, (logits.length / count) * start);
  }
  return { features, logits, seconds: (performance.now() - begun) / 1000 };
}

await main();
