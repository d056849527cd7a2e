/**
 * Images per call of the engine that are tried. Seen on two cores: ResNet18 and ResNet50 of width 64 differ by 5 % between
 * the best (16 to 64) and 256, which overflows the caches; narrow networks gain from larger ones.
 */
const CANDIDATES = [16, 32, 64, 128, 256];

/** A size is judged by this many images; all sizes together take the first 1,280 of a set. */
const JUDGED_IMAGES = 256;

/** Sets smaller than this are done before a choice pays; they take a size that is good for wide networks, the slow ones. */
const WORTH_IMAGES = 4 * CANDIDATES.length * JUDGED_IMAGES;
const UNJUDGED_BATCH = 32;

/** Where bits depend on the size it is always the same: many images fill a GPU, a CPU needs no more than it reads ahead. */
const FIXED = { cpu: 64, other: 256 };

const chosen = new Map<string, number>();

/** The batch sizes of one pass over a set. */
export interface BatchSizes {
  /** Returns how many images to run next. */
  next(): number;
  /** Tells how long a batch took. */
  took(count: number, milliseconds: number): void;
}

/** Pixels of a batch: 256 images of 32×32. Activations of a ResNet at 224×224 would else take gigabytes. */
const MAX_PIXELS = 256 * 32 * 32;

/** Returns the batch sizes for an engine on that device whose outputs depend on the size in their last bits. */
export function fixedBatchSize(device: string, pixels: number): BatchSizes {
  const size = within(device === "cpu" ? FIXED.cpu : FIXED.other, pixels);
  return { next: () => size, took: () => {} };
}

/** The size, or as many images as a batch may have. */
function within(size: number, pixels: number): number {
  return Math.max(1, Math.min(size, Math.floor(MAX_PIXELS / pixels)));
}

/**
 * Returns batch sizes for a pass over `images` images. The first batches try each candidate on real work, and the fastest
 * does the rest; an image has `pixels`, and no batch more than 256 of 32×32 have. `key` names what is run on what, and what was chosen for it is kept as long as the process lives. It is for
 * engines whose outputs do not depend on the size in any bit, so that the choice never shows in a metric.
 */
export function batchSizes(key: string, images: number, pixels: number): BatchSizes {
  const known = chosen.get(key);
  if (known !== undefined || images < WORTH_IMAGES) {
    const size = known ?? within(UNJUDGED_BATCH, pixels);
    return { next: () => size, took: () => {} };
  }
  // the very first batch also pays for the engine's own preparations, and is not judged
  const candidates = [...new Set(CANDIDATES.map((size) => within(size, pixels)))];
  const plan = [
    candidates[0]!,
    ...candidates.flatMap((size) => Array<number>(Math.ceil(JUDGED_IMAGES / size)).fill(size)),
  ];
  const milliseconds = new Map(candidates.map((size) => [size, 0]));
  let issued = 0;
  let done = 0;
  return {
    // batches are read ahead, so one may be asked for before the last of the plan is judged
    next: () => plan[issued++] ?? chosen.get(key) ?? candidates[0]!,
    took(count, duration) {
      if (done >= plan.length) return;
      if (done > 0) milliseconds.set(count, milliseconds.get(count)! + duration);
      if (++done < plan.length) return;
      const perImage = (size: number) => milliseconds.get(size)! / (Math.ceil(JUDGED_IMAGES / size) * size);
      chosen.set(
        key,
        candidates.reduce((best, size) => (perImage(size) < perImage(best) ? size : best)),
      );
    },
  };
}
