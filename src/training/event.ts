import type { ErrorCode } from "../errors.ts";

/** What a run tells of itself while it goes on. */
export interface RunProgress {
  readonly run: string;
  /** `started`: `epoch` epochs were there already. `training`: after every batch. `pushed`: `epoch` is done and stored. */
  readonly phase: "started" | "training" | "pushed";
  readonly epoch: number;
  readonly epochs: number;
  /** Images of this epoch trained on so far, of `images`. */
  readonly image: number;
  readonly images: number;
  /** Mean over this epoch so far; null before the first batch. */
  readonly loss: number | null;
  /** Share of the images of this epoch so far that were classified as labelled; null before the first batch. */
  readonly accuracy: number | null;
  /** Of this epoch so far; null before the first batch. */
  readonly imagesPerSecond: number | null;
  /** URLs of the checkpoints that this event adds: those found at the start, the one just pushed. */
  readonly checkpoints: readonly string[];
}

/** How a run ended. */
export interface RunSummary {
  readonly run: string;
  readonly status: "succeeded" | "failed" | "cancelled";
  /** Finished epochs, those of earlier sessions included. */
  readonly epochs: number;
  /** URLs, by epoch. */
  readonly checkpoints: readonly string[];
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

/** What a batch tells: the progress of its runs, and the end of each. */
export type BatchEvent = RunProgress | ({ readonly phase: "ended" } & RunSummary);
