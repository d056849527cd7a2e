import { describe, expect, it } from "vitest";
import { batchState, endLine, progressLine, type TrainEvent } from "../../src/commands/batchState.ts";
import type { RunProgress } from "../../src/training/event.ts";
import { gridOf } from "../../src/training/recipe.ts";

const recipes = gridOf({ dataset: "digits", epochs: 4 }, { losses: ["ce"], seeds: [1, 2] });
const [first, second] = recipes.map(({ run }) => run);

function progress(change: Partial<RunProgress>): RunProgress {
  const speed = { loss: 1.23456, accuracy: 0.6118, imagesPerSecond: 50 };
  return {
    run: first!,
    phase: "training",
    epoch: 2,
    epochs: 4,
    image: 250,
    images: 500,
    ...speed,
    checkpoints: [],
    ...change,
  };
}

/** The state after these events, each `seconds` after the one before. */
function stateAfter(seconds: number, ...events: TrainEvent[]) {
  let now = 0;
  const state = batchState(recipes, () => now);
  for (const event of events) {
    now += 1000 * seconds;
    state.update(event);
  }
  return state;
}

const startedAt = (run: string, epoch: number) =>
  progress({ run, phase: "started", epoch, image: 0, loss: null, accuracy: null, imagesPerSecond: null });

describe("the state of a batch", () => {
  it("tells epoch, loss, speed and time left of a run", () => {
    expect(progressLine(progress({}))).toBe(
      "digits-ce-seed1  epoch 2/4  50 %  loss 1.235  accuracy 61.2 %  50 img/s  0:25 left",
    );
    expect(progressLine(progress({ epochs: 350, images: 6000, imagesPerSecond: 4.25 }))).toBe(
      "digits-ce-seed1  epoch 2/350  4 %  loss 1.235  accuracy 61.2 %  4.3 img/s  136:50:47 left",
    );
  });

  it("estimates the batch from what was trained in this session", () => {
    const state = stateAfter(10, startedAt(first!, 1), progress({}));
    // 250 images in 20 s; of 2 × 4 × 500 images the 750 of the first run are done
    expect(state.total()).toBe("0 of 2 runs ended, 1 running, 13 img/s, 4:20 left");
    expect(state.table().split("\n")).toEqual([
      "run              epoch  done   loss  accuracy  img/s  left",
      "──────────────────────────────────────────────────────────",
      "digits-ce-seed1    2/4  50 %  1.235    61.2 %   50.0  0:25",
    ]);
  });

  it("does not wait for a run that has ended", () => {
    const failed = { run: first!, status: "failed", epochs: 1, checkpoints: [] } as const;
    const error = { code: "non-finite-loss", message: "loss is NaN" } as const;
    const state = stateAfter(
      10,
      startedAt(first!, 0),
      progress({ epoch: 1 }),
      startedAt(second!, 0),
      progress({ run: second!, epoch: 4, image: 500, phase: "pushed" }),
      { phase: "ended", ...failed, error },
    );
    expect(state.table()).not.toContain(first);
    expect(state.table()).toMatch(/^digits-ce-seed2 +4\/4 {2}100 % {2}1\.235/m);
    expect(state.total()).toBe("1 of 2 runs ended, 1 running, 45 img/s, 0:00 left");
    expect(endLine({ ...failed, error })).toBe("✗ digits-ce-seed1  loss is NaN (non-finite-loss)");
  });

  it("counts the checkpoints that are evaluated, and those that are not", () => {
    const of = (checkpoint: string) => ({ checkpoint, evaluation: "1", error: null });
    const error = { code: "missing-dataset", message: "x" } as const;
    const state = stateAfter(
      1,
      { phase: "submitted", status: "queued", ...of("a") },
      { phase: "submitted", status: "queued", ...of("b") },
      { phase: "evaluated", status: "succeeded", ...of("a") },
      { phase: "submitted", status: "failed", ...of("c"), error },
    );
    expect(state.total()).toMatch(/, 1 of 3 checkpoints evaluated, 1 not$/);
  });

  it("promises nothing before the first batch of images", () => {
    expect(stateAfter(1, startedAt(first!, 0)).total()).toBe("0 of 2 runs ended, 1 running, 0.0 img/s, ? left");
  });
});
