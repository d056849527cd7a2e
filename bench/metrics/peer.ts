import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runProgram } from "../process.ts";
import type { Python } from "../python.ts";

/** How a bench of metrics is run: beside the code in `checkout`. */
export interface MetricsBenchOptions {
  readonly checkout: string;
  readonly rounds: number;
  readonly python?: string;
  readonly out: string;
}

/** Returns the path of a file beside this one. */
export function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** @throws Error where there is no such checkout. */
export function requireCheckout(checkout: string, of: string): void {
  if (!existsSync(checkout)) throw new Error(`there is no checkout of ${of} at ${checkout}`);
}

/** Returns the path of a features file of Gaussian classes, which is made where it is missing. */
export async function featuresFile(python: Python, n: number, d: number, c: number): Promise<string> {
  mkdirSync(here("../.data"), { recursive: true });
  const file = here(`../.data/features-${n}-${d}-${c}.safetensors`);
  const shape = ["--n", String(n), "--d", String(d), "--c", String(c)];
  if (!existsSync(file)) await runProgram([python.path, here("make.py"), ...shape, "--out", file]);
  return file;
}

/** Runs a program that prints what it measured. */
export async function run<T>(command: readonly [string, ...string[]]): Promise<T> {
  return (await runProgram(command)).printed as T;
}
