/**
 * The program of a child process that runs one ONNX file somebody else made. ONNX Runtime parses and optimises such a file
 * in native code; a file that breaks it breaks this process and no other.
 */
import ort from "onnxruntime-node";
import type { DeviceName } from "../engine.ts";

/** What the parent sends first. */
export interface LoadOrder {
  readonly file: Uint8Array;
  readonly device: DeviceName;
  readonly threads: number;
  readonly input: { readonly name: string; readonly kind: "pixels" | "normalised"; readonly batch: number | null };
  readonly outputs: { readonly features: string; readonly logits: string };
  /** Channels, height and width of an image. */
  readonly shape: readonly [number, number, number];
  /** `pixel·factor + shift` per channel, where pixels come and the file takes normalised images; else null. */
  readonly affine: { readonly factor: Float64Array; readonly shift: Float64Array } | null;
}

/** What the parent sends then, as often as it likes, one at a time. */
export interface RunOrder {
  readonly images: Uint8Array | Float32Array;
  readonly count: number;
}

/** What it gets for each order. */
export type Answer =
  | { readonly ok: true; readonly features?: Float32Array; readonly logits?: Float32Array }
  | { readonly ok: false; readonly message: string };

type Run = (order: RunOrder) => Promise<Answer>;

let run: Run | undefined;
let turn: Promise<void> = Promise.resolve();

process.on("message", (order: LoadOrder | RunOrder) => {
  turn = turn.then(async () => {
    const answer = await obey(order).catch(
      (error): Answer => ({ ok: false, message: error instanceof Error ? error.message : String(error) }),
    );
    process.send!(answer);
  });
});

// the terminal and systemd tell these to all processes; while the parent finishes its work this one is needed
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

// a parent that is gone asks for nothing more
process.on("disconnect", () => process.exit());

async function obey(order: LoadOrder | RunOrder): Promise<Answer> {
  if ("images" in order) return run!(order);
  run = await load(order);
  return { ok: true };
}

async function load({ file, device, threads, input, outputs, shape, affine }: LoadOrder): Promise<Run> {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [device],
    logSeverityLevel: 4,
    intraOpNumThreads: threads,
  });
  const [channels, height, width] = shape;
  const layout = input.kind === "pixels" ? [height, width, channels] : [channels, height, width];
  const fetches = [outputs.features, outputs.logits];

  async function runBatch(images: Uint8Array | Float32Array, count: number) {
    const dims = [count, ...layout];
    const tensor =
      images instanceof Uint8Array ? new ort.Tensor("uint8", images, dims) : new ort.Tensor("float32", images, dims);
    const results = await session.run({ [input.name]: tensor }, fetches);
    return fetches.map((name) => floatsOf(results[name]!, name, count));
  }

  return async ({ images, count }) => {
    const ready = affine ? normalise(images as Uint8Array, affine, height * width) : images;
    const size = ready.length / count;
    const step = input.batch ?? count;
    const parts: Float32Array[][] = [];
    for (let start = 0; start < count; start += step) {
      const taken = Math.min(step, count - start);
      // a fixed batch axis is filled up with black images, whose outputs are dropped
      const batch = ready.subarray(start * size, (start + step) * size);
      const whole = taken < step ? filledUp(batch, step * size) : batch;
      const results = await runBatch(whole, step);
      parts.push(results.map((values) => values.subarray(0, (values.length / step) * taken)));
    }
    const [features, logits] = [0, 1].map((output) => joined(parts.map((part) => part[output]!)));
    return { ok: true, features: features!, logits: logits! };
  };
}

function floatsOf({ data, dims }: ort.Tensor, name: string, count: number): Float32Array {
  if (data instanceof Float32Array && dims[0] === count) return data;
  if (data instanceof Float64Array && dims[0] === count) return Float32Array.from(data);
  throw new Error(`output "${name}" is no list of ${count} rows of floating-point numbers`);
}

/** N×H×W×C pixels to N×C×H×W normalised. */
function normalise(
  pixels: Uint8Array,
  { factor, shift }: { factor: Float64Array; shift: Float64Array },
  area: number,
): Float32Array {
  const channels = factor.length;
  const normalised = new Float32Array(pixels.length);
  const size = area * channels;
  for (let image = 0; image < pixels.length; image += size)
    for (let channel = 0; channel < channels; channel++) {
      const [scale, offset] = [factor[channel]!, shift[channel]!];
      const to = image + channel * area;
      for (let at = 0; at < area; at++) normalised[to + at] = pixels[image + at * channels + channel]! * scale + offset;
    }
  return normalised;
}

function filledUp<T extends Uint8Array | Float32Array>(images: T, length: number): T {
  const whole = new (images.constructor as new (length: number) => T)(length);
  whole.set(images);
  return whole;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
