import type { BatchEvent, RunProgress, RunSummary } from "./event.ts";
import type { Recipe } from "./recipe.ts";

/** Where every run of a batch stands, as lines for people. */
export interface BatchState {
  update(event: BatchEvent): void;
  /** One line per running run: epoch, loss, speed and time left. */
  running(): string[];
  /** How much of the batch is done, its speed and time left. */
  total(): string;
}

/** Returns the state of a batch that begins now; `clock` tells milliseconds. */
export function batchState(recipes: readonly Recipe[], clock = () => performance.now()): BatchState {
  const begun = clock();
  const started = new Map<string, RunProgress>();
  const latest = new Map<string, RunProgress>();
  const ended = new Set<string>();
  const nameWidth = Math.max(...recipes.map(({ run }) => run.length));

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
      if (event.phase === "ended") ended.add(event.run);
      else latest.set(event.run, event);
      if (event.phase === "started") started.set(event.run, event);
    },
    running: () =>
      [...latest.values()].filter(({ run }) => !ended.has(run)).map((progress) => progressLine(progress, nameWidth)),
    total() {
      const images = latest.values().next().value?.images ?? 0;
      const perSecond = (1000 * sum(recipes.map(({ run }) => trained(run)))) / (clock() - begun);
      const seconds = sum(recipes.map((recipe) => left(recipe, images))) / perSecond;
      const running = [...latest.keys()].filter((run) => !ended.has(run)).length;
      const parts = [`${ended.size} of ${recipes.length} runs ended`, `${running} running`, speed(perSecond)];
      return [...parts, `${duration(seconds)} left`].join(", ");
    },
  };
}

/** Returns the line of a run that is training: `digits-nc-seed1  epoch 2/4   50 %  loss 1.234  97 img/s  1:20 left`. */
export function progressLine(progress: RunProgress, nameWidth = 0): string {
  const { run, epoch, epochs, image, images, loss, imagesPerSecond } = progress;
  const name = run.padEnd(nameWidth);
  if (loss === null || imagesPerSecond === null) return `${name}  epoch ${epoch}/${epochs}`;
  const seconds = (epochs * images - imagesOf(progress)) / imagesPerSecond;
  const percent = `${Math.round((100 * image) / images)}`.padStart(3);
  const counts = `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs} ${percent} %`;
  return `${name}  ${counts}  loss ${loss.toPrecision(4)}  ${speed(imagesPerSecond)}  ${duration(seconds)} left`;
}

/** Returns the line that says how a run ended. */
export function endLine({ run, status, epochs, error }: RunSummary): string {
  if (status === "failed") return `✗ ${run}  ${error!.message} (${error!.code})`;
  if (status === "cancelled") return `■ ${run}  stopped after ${epochs} epochs`;
  return `✓ ${run}  ${epochs} epochs`;
}

/** Images trained on since the run's first epoch; a `started` event stands at the end of its epoch. */
function imagesOf({ phase, epoch, image, images }: RunProgress): number {
  return phase === "started" ? epoch * images : (epoch - 1) * images + image;
}

function speed(imagesPerSecond: number): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s`;
}

/** `0:05`, `12:34`, `3:00:00`; `?` while nothing is known. */
function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
