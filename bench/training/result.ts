import { formatTable } from "../../src/commands/table.ts";
import { formatSpread, ratioSpread, type Spread, spread } from "../spread.ts";
import type { Program } from "./programs.ts";

/** A program in one round. */
export interface Run {
  readonly imagesPerSecond: number;
  readonly peakMiB: number | null;
  readonly losses: readonly number[];
}

/** A program in all rounds. */
export interface Series {
  readonly program: Program;
  readonly runs: readonly Run[];
}

/** One row of the table. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly imagesPerSecond: Spread;
  /** Ours over this row's images/s, paired within each round. */
  readonly ratio: Spread;
  readonly peakMiB: number | null;
  /** Of the losses of the first steps against ours, relative. */
  readonly difference: number;
  readonly runs: readonly Run[];
}

/** What was asked for and what was seen. */
export interface Judged {
  readonly asked: string;
  readonly seen: Spread;
  readonly met: boolean;
}

/** Programs whose losses of the first two steps differ by more than this train something else; later ones drift apart. */
const AGREEMENT = 1e-3;
const COMPARED = 2;
const LEAST_RATIO = 1;
const GOAL_RATIO = 1.2;
/** Of WASM, in images per second. */
const LEAST_WASM = 150;

/** Returns the rows of a case, ours first. @throws Error where a program trains something else. */
export function rowsOf(series: readonly Series[]): readonly Row[] {
  const ours = series[0]!;
  return series.map(({ program: { name, title }, runs }) => {
    const [first, expected] = [runs, ours.runs].map((of) => of[0]!.losses.slice(0, COMPARED));
    const difference = Math.max(...first!.map((loss, i) => Math.abs(loss / expected![i]! - 1)));
    if (!(difference <= AGREEMENT)) throw new Error(`${title} trains something else: its losses are ${difference} off`);
    return {
      ...{ name, title, runs, difference },
      imagesPerSecond: spread(speeds(runs)),
      ratio: ratioSpread(speeds(ours.runs), speeds(runs)),
      peakMiB: runs.at(-1)!.peakMiB,
    };
  });
}

/** Returns how the rows stand against what is asked: native against the better layout of PyTorch, WASM by itself. */
export function judge([ours, ...others]: readonly Row[]): readonly Judged[] {
  const peers = others.filter(({ name }) => name.startsWith("torch-"));
  const [peer] = peers.sort((a, b) => b.imagesPerSecond.median - a.imagesPerSecond.median);
  const wasm = others.find(({ name }) => name === "collapsar-wasm");
  return [
    ...(peer
      ? [LEAST_RATIO, GOAL_RATIO].map((least) => atLeast(`${ours!.name} ÷ ${peer.name}`, least, peer.ratio))
      : []),
    ...(wasm ? [atLeast(`images/s of ${wasm.name}`, LEAST_WASM, wasm.imagesPerSecond)] : []),
  ];
}

function atLeast(what: string, least: number, seen: Spread): Judged {
  return { asked: `${what} ≥ ${least}`, seen, met: seen.median >= least };
}

function speeds(runs: readonly Run[]): number[] {
  return runs.map(({ imagesPerSecond }) => imagesPerSecond);
}

/** Returns the rows as a terminal table. */
export function formatRows(rows: readonly Row[]): string {
  const headings = ["images/s", "ours ÷ it", "peak memory", "difference"];
  return formatTable(
    [{ heading: "program", align: "left" }, ...headings.map((heading) => ({ heading }))],
    rows.map(({ title, imagesPerSecond, ratio, peakMiB, difference }) => [
      title,
      formatSpread(imagesPerSecond, 1),
      formatSpread(ratio, 2),
      peakMiB === null ? "–" : `${peakMiB.toFixed(0)} MiB`,
      difference.toExponential(0),
    ]),
  );
}

/** Returns one line per target. */
export function formatTargets(judged: readonly Judged[]): string {
  return judged
    .map(({ asked, seen, met }) => `${met ? "met   " : "MISSED"}  ${asked}: ${formatSpread(seen, 2)}`)
    .join("\n");
}
