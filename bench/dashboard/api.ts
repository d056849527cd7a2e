import type { RunningService } from "../../src/api/serve.ts";
import { type Spread, spread } from "../spread.ts";
import { QUESTIONS } from "./questions.ts";

const ROUNDS = 15;

/** One question to the API. */
export interface Asked {
  readonly question: string;
  readonly path: string;
  readonly bytes: number;
  readonly milliseconds: Spread;
}

/** Asks the API whatever the views ask, each question once before it is timed; milliseconds until the last byte is here. */
export async function askAll(service: RunningService): Promise<Asked[]> {
  const results = [];
  for (const [question, path] of Object.entries(QUESTIONS)) {
    const { bytes } = await ask(service, path);
    const times = [];
    for (let round = 0; round < ROUNDS; round++) times.push((await ask(service, path)).milliseconds);
    results.push({ question, path, bytes, milliseconds: spread(times) });
  }
  return results;
}

async function ask({ url }: RunningService, path: string): Promise<{ bytes: number; milliseconds: number }> {
  const start = performance.now();
  const response = await fetch(`${url}${path}`);
  const { length } = await response.bytes();
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return { bytes: length, milliseconds: performance.now() - start };
}
