import type { Dataset } from "../datasets/dataset.ts";
import type { Engine, Model, Outputs } from "../engines/engine.ts";
import { CollapsarError } from "../errors.ts";
import type { Signature } from "../networks/graph.ts";
import { type Network, signatureOf } from "../networks/network.ts";
import { imagesDone } from "../telemetry/events.ts";
import { type BatchSizes, batchSizes, fixedBatchSize } from "./batchSize.ts";
import type { FeatureSink } from "./features/sink.ts";

export interface ExtractOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch with the images done so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Writes the penultimate features and logits of every image of `dataset`, in its order, to `sink`. The next batch is read
 * while the engine works on this one. Returns how many images went through the engine per second, without the first batch,
 * which also pays for the engine's preparations, unless it is the only one.
 * @throws CollapsarError `wrong-shape` where the images are not what the network takes; `invalid-label`;
 *   `missing-metadata` where pixels cannot be normalised.
 */
export async function extract(
  engine: Engine,
  network: Network,
  dataset: Dataset,
  sink: FeatureSink,
  { signal, onProgress }: ExtractOptions = {},
): Promise<{ imagesPerSecond: number }> {
  const signature = signatureOf(network);
  requireMatchingImages(dataset, signature);
  requireValidLabels(dataset, signature.classes);
  const sizes = batchSizesFor(engine, network, dataset);
  const model = await engine.load(network, dataset);
  try {
    let begun = performance.now();
    let timed = dataset.length;
    for await (const { start, end, outputs } of runBatches(model, dataset, sizes, signal)) {
      await sink.write(start, outputs);
      imagesDone.tell({ images: end - start });
      onProgress?.(end, dataset.length);
      if (start > 0 || end === dataset.length) continue;
      begun = performance.now();
      timed = dataset.length - end;
    }
    return { imagesPerSecond: (timed / (performance.now() - begun)) * 1000 };
  } finally {
    await model.dispose();
  }
}

function batchSizesFor(engine: Engine, network: Network, { kind, height, width, length }: Dataset): BatchSizes {
  const { name, device, batchInvariant } = engine;
  if (!batchInvariant || network.kind !== "graph") return fixedBatchSize(device, height * width);
  const { dimensions, classes, nodes } = network.graph;
  return batchSizes([name, kind, height, width, dimensions, classes, nodes.length].join(" "), length, height * width);
}

interface Done {
  readonly start: number;
  readonly end: number;
  readonly outputs: Outputs;
}

/** Runs the set in order. While the engine works on one batch the next one is read, so that two are in memory. */
async function* runBatches(
  model: Model,
  dataset: Dataset,
  sizes: BatchSizes,
  signal: AbortSignal | undefined,
): AsyncGenerator<Done> {
  const read = (start: number) => {
    const end = Math.min(start + sizes.next(), dataset.length);
    const images = dataset.read(start, end);
    images.catch(() => {}); // reported where it is awaited, in the next turn
    return { start, end, images };
  };
  for (let next: ReturnType<typeof read> | null = read(0); next; ) {
    signal?.throwIfAborted();
    const { start, end }: { start: number; end: number } = next;
    const images = await next.images;
    const begun = performance.now();
    const running = model.run(images, end - start);
    next = end < dataset.length ? read(end) : null;
    const outputs = await running;
    sizes.took(end - start, performance.now() - begun);
    yield { start, end, outputs };
  }
}

/** @throws CollapsarError `wrong-shape` unless the images of `dataset` are what the network takes. */
export function requireMatchingImages(dataset: Dataset, { channels, size }: Signature): void {
  const has = `${dataset.height}×${dataset.width}×${dataset.channels}`;
  const takes = `${size ? `${size.height}×${size.width}` : "any size"}×${channels}`;
  const fits = !size || (size.height === dataset.height && size.width === dataset.width);
  if (!fits || channels !== dataset.channels)
    throw new CollapsarError(
      "wrong-shape",
      `dataset "${dataset.name}" has images of ${has}, the network takes ${takes}`,
    );
}

/** @throws CollapsarError `invalid-label` unless every label of the dataset is one of the network's `classes`. */
export function requireValidLabels({ name, labels }: Dataset, classes: number): void {
  const offender = labels?.findIndex((label) => label < 0 || label >= classes) ?? -1;
  if (offender >= 0)
    throw new CollapsarError(
      "invalid-label",
      `dataset "${name}" has label ${labels![offender]} at image ${offender}, expected 0 to ${classes - 1} (the network has ${classes} classes)`,
    );
}
