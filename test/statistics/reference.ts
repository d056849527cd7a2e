import { readFileSync } from "node:fs";
import { expect } from "vitest";

type Interval = [low: number, high: number];

interface TTestReference {
  readonly t: number;
  readonly df: number;
  readonly p: number;
  readonly ci95: Interval;
}

interface CorrelationReference {
  readonly r: number;
  readonly p: number;
}

/** The quantiles between which an end of a bootstrap interval is, but for 5 standard deviations of the resampling. */
interface Ends {
  readonly low: Interval;
  readonly high: Interval;
}

interface Reference {
  readonly two: readonly {
    readonly case: string;
    readonly a: number[];
    readonly b: number[];
    readonly welch: TTestReference;
    readonly hedges: { readonly g: number; readonly ci95: Interval };
  }[];
  readonly paired: readonly {
    readonly case: string;
    readonly a: number[];
    readonly b: number[];
    readonly paired: TTestReference;
    readonly wilcoxon: { readonly w: number; readonly p: number };
  }[];
  readonly correlations: readonly {
    readonly case: string;
    readonly x: number[];
    readonly y: number[];
    readonly pearson: CorrelationReference;
    readonly spearman: CorrelationReference;
  }[];
  readonly bootstrap: readonly {
    readonly case: string;
    readonly x: number[];
    readonly y: number[];
    readonly pearson: Ends;
    readonly spearman: Ends;
  }[];
  readonly holm: readonly { readonly p: number[]; readonly holm: number[] }[];
}

/** What scipy says: fixtures/statistics/make_statistics.py. */
export const REFERENCE: Reference = JSON.parse(
  readFileSync(new URL("../fixtures/statistics/statistics.json", import.meta.url), "utf8"),
);

/** Expects each number of `expected` in `actual`, to 1e-10 of it. */
export function expectNumbers(actual: object, expected: object): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = [(actual as Record<string, unknown>)[name]].flat();
    for (const [i, number] of [value as number | number[]].flat().entries())
      expect(Math.abs(Number(found[i]) - number), `${name}: ${found}, expected ${value}`).toBeLessThanOrEqual(
        1e-10 * Math.abs(number),
      );
  }
}
