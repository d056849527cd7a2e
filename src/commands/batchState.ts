import type { BatchEvent, RunProgress, RunSummary } from "../training/event.ts";
import type { Recipe } from "../training/recipe.ts";
import type { SubmissionEvent } from "./submissions.ts";
import { type Column, formatTable } from "./table.ts";

/** What is told of a batch: how its runs go on and end, and what becomes of their checkpoints. */
export type TrainEvent = BatchEvent | SubmissionEvent;

/** Where every run of a batch stands, as text for people. */
export interface BatchState {
  update(event: TrainEvent): void;
  /** A table of the running runs: epoch, loss, accuracy, speed and time left; empty where none runs. */
  table(): string;
  /** How much of the batch is done, its speed and time left. */
  total(): string;
}

const COLUMNS: readonly Column[] = [
  { heading: "run", align: "left" },
  ...["epoch", "done", "loss", "accuracy", "img/s", "left"].map((heading) => ({ heading })),
];

/** Returns the state of a batch that begins now; `clock` tells milliseconds. */
export function batchState(recipes: readonly Recipe[], clock = () => performance.now()): BatchState {
  const begun = clock();
  const started = new Map<string, RunProgress>();
  const latest = new Map<string, RunProgress>();
  const ended = new Set<string>();
  const submissions = new Map<string, SubmissionEvent>();

  /** Images trained on in this session. */
  const trained = (run: string) => {
    const now = latest.get(run);
    return now ? imagesOf(now) - imagesOf(started.get(run)!) : 0;
  };
  /** Images still to train on; a run that has not begun is taken to have epochs like the others. */
  const left = ({ run, epochs }: Recipe, images: number) => {
    if (ended.has(run)) return 0;
    const now = latest.get(run);
    return now ? now.epochs * now.images - imagesOf(now) : epochs * images;
  };
  return {
    update(event) {
      if ("checkpoint" in event) submissions.set(event.checkpoint, event);
      else if (event.phase === "ended") ended.add(event.run);
      else latest.set(event.run, event);
      if (event.phase === "started") started.set(event.run, event);
    },
    table() {
      const running = [...latest.values()].filter(({ run }) => !ended.has(run));
      return running.length > 0 ? formatTable(COLUMNS, running.map(cellsOf)) : "";
    },
    total() {
      const images = latest.values().next().value?.images ?? 0;
      const perSecond = (1000 * sum(recipes.map(({ run }) => trained(run)))) / (clock() - begun);
      const seconds = sum(recipes.map((recipe) => left(recipe, images))) / perSecond;
      const running = [...latest.keys()].filter((run) => !ended.has(run)).length;
      const parts = [`${ended.size} of ${recipes.length} runs ended`, `${running} running`, speed(perSecond)];
      return [...parts, `${formatDuration(seconds)} left`, ...submitted([...submissions.values()])].join(", ");
    },
  };
}

/** Returns the line of a run that is training: `digits-nc-seed1  epoch 2/4  50 %  loss 1.234  acc 61.2 %  97 img/s  1:20 left`. */
export function progressLine(progress: RunProgress): string {
  const [run, epoch, done, loss, accuracy, , left] = cellsOf(progress);
  if (progress.imagesPerSecond === null) return `${run}  epoch ${epoch}`;
  const pace = `${speed(progress.imagesPerSecond)}  ${left} left`;
  return `${run}  epoch ${epoch}  ${done}  loss ${loss}  accuracy ${accuracy}  ${pace}`;
}

/** Returns the line that says how a run ended. */
export function endLine({ run, status, epochs, error }: RunSummary): string {
  if (status === "failed") return `✗ ${run}  ${error!.message} (${error!.code})`;
  if (status === "cancelled") return `■ ${run}  stopped after ${epochs} epochs`;
  return `✓ ${run}  ${epochs} epochs`;
}

/** Returns `0:05`, `12:34`, `3:00:00` of seconds; `?` while nothing is known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

function cellsOf(progress: RunProgress): string[] {
  const { run, epoch, epochs, image, images, loss, accuracy, imagesPerSecond } = progress;
  if (loss === null || accuracy === null || imagesPerSecond === null)
    return [run, `${epoch}/${epochs}`, "", "", "", "", "?"];
  const seconds = (epochs * images - imagesOf(progress)) / imagesPerSecond;
  return [
    ...[run, `${epoch}/${epochs}`, `${Math.round((100 * image) / images)} %`],
    ...[loss.toPrecision(4), `${(100 * accuracy).toFixed(1)} %`, imagesPerSecond.toFixed(1), formatDuration(seconds)],
  ];
}

/** Images trained on since the run's first epoch; a `started` event stands at the end of its epoch. */
function imagesOf({ phase, epoch, image, images }: RunProgress): number {
  return phase === "started" ? epoch * images : (epoch - 1) * images + image;
}

function submitted(submissions: readonly SubmissionEvent[]): string[] {
  if (submissions.length === 0) return [];
  const evaluated = submissions.filter(({ status }) => status === "succeeded").length;
  const failed = submissions.filter(({ error }) => error !== null).length;
  return [`${evaluated} of ${submissions.length} checkpoints evaluated`, ...(failed > 0 ? [`${failed} not`] : [])];
}

function speed(imagesPerSecond: number): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
