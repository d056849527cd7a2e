import { join } from "node:path";
import { runProgram } from "../process.ts";
import type { BenchFiles } from "./files.ts";
import type { Program } from "./programs.ts";

/** A program in one round. */
export interface Run {
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly peakMiB: number | null;
}

/** A program in all rounds; `out` is what it extracted last. */
export interface Series {
  readonly program: Program;
  /** Images per call that its trial found best; null where the program chooses itself. */
  readonly batch: number | null;
  readonly runs: readonly Run[];
  readonly out: string;
}

/** A program that could not be run here, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/**
 * Runs every program once per round, one after the other; every second round goes backwards, so that none profits from
 * its place. A program whose trial fails is skipped; one that fails later is an error.
 */
export async function runRounds(
  programs: readonly Program[],
  files: BenchFiles,
  rounds: number,
  say: (line: string) => void,
): Promise<{ series: readonly Series[]; skipped: readonly Skipped[] }> {
  const ready: (Series & { runs: Run[] })[] = [];
  const skipped: Skipped[] = [];
  for (const program of programs) {
    try {
      const { printed } = await runProgram(program.trial(files));
      const batch = (printed.batch as number | undefined) ?? null;
      ready.push({ program, batch, runs: [], out: join(files.folder, `${program.name}.out.safetensors`) });
      say(`${files.arch} trial: ${program.name}${batch ? `, batches of ${batch}` : ""}`);
    } catch (error) {
      const reason = (error as Error).message;
      skipped.push({ name: program.name, reason });
      say(`${files.arch} skipped: ${program.name}: ${reason}`);
    }
  }
  for (let round = 1; round <= rounds; round++)
    for (const { program, batch, runs, out } of round % 2 === 1 ? ready : ready.toReversed()) {
      const { printed, seconds, peakMiB } = await runProgram(program.timed(files, out, batch));
      const imagesPerSecond = printed.imagesPerSecond as number;
      runs.push({ imagesPerSecond, seconds, peakMiB });
      say(`${files.arch} round ${round}/${rounds}: ${program.name} ${imagesPerSecond.toFixed(1)} images/s`);
    }
  return { series: ready, skipped };
}
