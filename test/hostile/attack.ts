/**
 * Feeds broken copies of a small good file of one format to everything that reads it, and prints what came of it as JSON:
 *
 *     node --expose-gc test/hostile/attack.ts FORMAT COUNT
 *
 * A process of its own, so that its peak memory is that of the readers and a crash is seen as one.
 */
import { asCollapsarError, CollapsarError } from "../../src/errors.ts";
import { mutations } from "./mutate.ts";
import { closeAll } from "./onnxSession.ts";
import { seedsOf } from "./seeds.ts";

export interface Report {
  readonly files: number;
  /** How many were still fine, and how many were refused with which code. */
  readonly outcomes: Record<string, number>;
  /** Anything thrown that is no error of ours, or an internal one. */
  readonly failures: readonly string[];
  readonly slowestMilliseconds: number;
  /** Peak of the process above what it had before the first file, bytes. */
  readonly memory: number;
  /** Processes that ran ONNX files: one, and another for each that a file broke. */
  readonly children: number;
  /** The same for the processes that ran ONNX files. */
  readonly childMemory: number;
}

const SEED = 20_241_124;

/** Rubbish of so many files may lie about: the peak is to be that of a file, not of how rarely it is collected. */
const FILES_BETWEEN_COLLECTIONS = 5;

const [format, count] = [process.argv[2]!, Number(process.argv[3])];
const seeds = await seedsOf(format);
// once through everything that is good: what is loaded now is not the files' doing
for (const { file, read } of seeds) await read(file);
const before = process.memoryUsage.rss();
const outcomes: Record<string, number> = {};
const failures: string[] = [];
let slowest = 0;
let files = 0;
for (const [i, { name, file, read }] of seeds.entries())
  for (const broken of mutations(file, Math.ceil(count / seeds.length), SEED + i)) {
    const begun = performance.now();
    const outcome = await read(broken).then(
      () => "accepted",
      (error) => codeOf(error, name),
    );
    slowest = Math.max(slowest, performance.now() - begun);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (++files % FILES_BETWEEN_COLLECTIONS === 0) globalThis.gc!();
  }
const memory = process.resourceUsage().maxRSS * 1024 - before;
const report: Report = { files, outcomes, failures, slowestMilliseconds: slowest, memory, ...closeAll() };
console.log(JSON.stringify(report));

function codeOf(error: unknown, name: string): string {
  if (error instanceof CollapsarError && error.code !== "internal") return error.code;
  failures.push(`${name}: ${asCollapsarError(error).message} ${error instanceof Error ? error.stack : ""}`);
  return "failure";
}
