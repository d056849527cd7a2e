import type { Reals } from "./matrix.ts";

/**
 * Sums over the classes of one row of logits, with `a_c = β (z_c − max z)`, so that every exponential is at most 1. The
 * term of the largest logit, `exp 0 = 1`, is left out: `1 + others` is the softmax's denominator, and `log1p(others)` keeps
 * its digits where a collapsed network makes it 1 but for 1e-20.
 */
export interface SoftmaxSums {
  /** The class of the largest logit, the lowest on ties. */
  readonly best: number;
  /** That logit, not multiplied by β. */
  readonly largest: number;
  /** `Σ e^a`. */
  readonly others: number;
  /** `Σ a e^a`, at most 0. */
  readonly first: number;
  /** `Σ a² e^a`. */
  readonly second: number;
  /** `Σ e^{2a}`. */
  readonly squares: number;
}

/** Returns the sums of row `row` of finite logits (n×C) times β, an inverse temperature: one exponential per class. */
export function softmaxSums(logits: Reals, row: number, classes: number, inverseTemperature: number): SoftmaxSums {
  const from = row * classes;
  let best = 0;
  for (let c = 1; c < classes; c++) if (logits[from + c] > logits[from + best]) best = c;
  const largest = logits[from + best];
  let others = 0;
  let first = 0;
  let second = 0;
  let squares = 0;
  for (let c = 0; c < classes; c++) {
    if (c === best) continue;
    const a = inverseTemperature * (logits[from + c] - largest);
    const e = Math.exp(a);
    others += e;
    first += a * e;
    second += a * a * e;
    squares += e * e;
  }
  return { best, largest, others, first, second, squares };
}
