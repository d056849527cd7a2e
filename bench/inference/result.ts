import { ratioSpread, type Spread, spread } from "../spread.ts";
import { AGREEMENT, relativeDifference } from "./agreement.ts";
import { OURS } from "./programs.ts";
import type { Run, Series } from "./rounds.ts";

/** One row of the table. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly batch: number | null;
  readonly imagesPerSecond: Spread;
  /** The whole command, from start to exit. */
  readonly seconds: Spread;
  readonly peakMiB: Spread | null;
  /** Ours over this row's images/s, paired within each round. */
  readonly ratio: Spread;
  /** Of features and logits against ours, relative to the largest magnitude. */
  readonly difference: number;
  readonly agrees: boolean;
  readonly runs: readonly Run[];
}

/** A goal: `of` at least `least` times as fast as the fastest of `to`, or at most `most` times its memory. */
export interface Target {
  readonly of: string;
  readonly figure: "imagesPerSecond" | "peakMiB";
  readonly to: readonly string[];
  readonly bound: { readonly least: number } | { readonly most: number };
}

const COMPILED_OR_ONNX = ["torch-compile", "torch-compile-channels-last", "onnxruntime-python"];

export const TARGETS: readonly Target[] = [
  { of: OURS, figure: "imagesPerSecond", to: ["torch-eager"], bound: { least: 1.5 } },
  { of: OURS, figure: "imagesPerSecond", to: COMPILED_OR_ONNX, bound: { least: 0.97 } },
  { of: OURS, figure: "imagesPerSecond", to: ["openvino"], bound: { least: 0.92 } },
  { of: OURS, figure: "imagesPerSecond", to: ["bare-session"], bound: { least: 0.95 } },
  { of: "collapsar-tensorflow", figure: "imagesPerSecond", to: ["torch-eager"], bound: { least: 1.1 } },
  { of: OURS, figure: "peakMiB", to: ["torch-eager"], bound: { most: 1 } },
];

/** A target that could be judged: the peer it was held against, and the ratio of the paired runs. */
export interface Judged extends Target {
  readonly against: string;
  readonly ratio: Spread;
  readonly met: boolean;
}

/** Returns the rows of the table, ours first. @throws Error where ours was not measured. */
export function rowsOf(series: readonly Series[]): readonly Row[] {
  const ours = series.find(({ program }) => program.name === OURS);
  if (!ours) throw new Error(`"${OURS}" itself could not be run`);
  return series.map(({ program: { name, title }, batch, runs, out }) => {
    const difference = relativeDifference(ours.out, out);
    return {
      ...{ name, title, batch, runs, difference },
      imagesPerSecond: spread(runs.map((run) => run.imagesPerSecond)),
      seconds: spread(runs.map((run) => run.seconds)),
      peakMiB: runs.some((run) => run.peakMiB === null) ? null : spread(runs.map((run) => run.peakMiB!)),
      ratio: paired(ours.runs, runs, "imagesPerSecond"),
      agrees: difference <= AGREEMENT,
    };
  });
}

/** Returns the targets whose programs were measured. Of several peers the one with the best median counts. */
export function judge(rows: readonly Row[]): readonly Judged[] {
  return TARGETS.flatMap((target) => {
    const { of, to, figure, bound } = target;
    const row = rows.find(({ name }) => name === of);
    const [peer] = rows
      .filter(({ name, agrees }) => to.includes(name) && agrees)
      .sort((a, b) => b.imagesPerSecond.median - a.imagesPerSecond.median);
    if (!row || !peer || (figure === "peakMiB" && !(row.peakMiB && peer.peakMiB))) return [];
    const ratio = paired(row.runs, peer.runs, figure);
    const met = "least" in bound ? ratio.median >= bound.least : ratio.median <= bound.most;
    return [{ ...target, against: peer.name, ratio, met }];
  });
}

function paired(runs: readonly Run[], others: readonly Run[], figure: Target["figure"]): Spread {
  return ratioSpread(
    runs.map((run) => run[figure]!),
    others.map((run) => run[figure]!),
  );
}
