import { performance } from "node:perf_hooks";
import { expect, it } from "vitest";
import { readPytorch } from "../../src/checkpoints/pytorch/readPytorch.ts";
import { CollapsarError } from "../../src/errors.ts";

const MAX_MILLISECONDS = 2000;

/** Reads the file, which must not take long. Returns the error, which must be one a user can act on, or null. */
export function refusal(content: Uint8Array): CollapsarError | null {
  const start = performance.now();
  try {
    readPytorch(content);
    return null;
  } catch (error) {
    if (!(error instanceof CollapsarError && error.code === "malformed-checkpoint")) throw error;
    return error;
  } finally {
    expect(performance.now() - start).toBeLessThan(MAX_MILLISECONDS);
  }
}

export type Case = readonly [what: string, content: Uint8Array, message: RegExp];

/** Makes a test of every case: the file is refused with that message. */
export function refuses(cases: readonly Case[]): void {
  it.each(cases)("%s", (_, content, message) => {
    expect(refusal(content)?.message).toMatch(message);
  });
}
