import { softmaxSums } from "../softmax.ts";
import type { LabelledLogits } from "./forecasts.ts";

/** Temperatures outside of this range are not looked for. */
export const TEMPERATURE_RANGE = { smallest: 1e-3, largest: 1e3 } as const;

/**
 * A step of Newton's method of this share leaves an error of about its square, below the last bit: it is the last step.
 */
const LAST_STEP = 1e-9;

/** The mean negative log-likelihood of `softmax(βz)` and its first two derivatives with respect to β. */
export interface Likelihood {
  readonly nll: number;
  readonly slope: number;
  readonly curvature: number;
}

/**
 * Returns the NLL of labelled logits at an inverse temperature β and its derivatives in one pass:
 * `d/dβ = 1/n Σ_i (E_p z − z_y)` and `d²/dβ² = 1/n Σ_i Var_p z ≥ 0`, so the NLL is convex in β.
 */
export function likelihood(
  { logits, labels }: LabelledLogits,
  classes: number,
  inverseTemperature: number,
): Likelihood {
  let nll = 0;
  let slope = 0;
  let curvature = 0;
  for (let i = 0; i < labels.length; i++) {
    const { largest, others, first, second } = softmaxSums(logits, i, classes, inverseTemperature);
    const behind = logits[i * classes + labels[i]] - largest;
    const mean = first / (1 + others);
    nll += Math.log1p(others) - inverseTemperature * behind;
    slope += mean / inverseTemperature - behind;
    curvature += second / (1 + others) - mean ** 2;
  }
  const samples = labels.length;
  return { nll: nll / samples, slope: slope / samples, curvature: curvature / samples / inverseTemperature ** 2 };
}

/**
 * Returns the temperature T in [1e-3, 1e3] that minimises the NLL of labelled logits (Guo et al. 2017), to full precision:
 * Newton's method on the derivative, with a bisection of log β wherever it would leave the bracket; 5 to 15 passes over 753
 * synthetic parts of 2 to 100 classes. Where the NLL still falls at an end of the range, that is 0 (always so when every
 * label has the largest logit) or Infinity.
 */
export function nllOptimum(part: LabelledLogits, classes: number): number {
  let low = 1 / TEMPERATURE_RANGE.largest;
  let high = 1 / TEMPERATURE_RANGE.smallest;
  if (likelihood(part, classes, high).slope <= 0) return 0;
  if (likelihood(part, classes, low).slope >= 0) return Number.POSITIVE_INFINITY;
  for (let inverse = 1; ; ) {
    const { slope, curvature } = likelihood(part, classes, inverse);
    if (slope < 0) low = inverse;
    else high = inverse;
    const newton = inverse - slope / curvature;
    if (Math.abs(newton - inverse) <= LAST_STEP * inverse) return 1 / newton;
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    if (next === inverse) return 1 / next;
    inverse = next;
  }
}

/** DDU's temperatures 0.1, 0.2, … 10, by repeated addition of 0.1 as there: the last is 9.99999999999998. */
export const DDU_GRID: readonly number[] = Array.from({ length: 99 }).reduce<number[]>(
  (grid) => [...grid, grid.at(-1)! + 0.1],
  [0.1],
);

/**
 * Returns the temperature of DDU's grid with the smallest NLL, the first on ties, given the `optimum` of `nllOptimum`: the
 * NLL is convex in 1/T, so the best of the grid is next to it, and 2 passes do for 100.
 */
export function bestOfGrid(part: LabelledLogits, classes: number, optimum: number): number {
  const above = DDU_GRID.findIndex((temperature) => temperature >= optimum);
  if (above === 0) return DDU_GRID[0];
  if (above < 0) return DDU_GRID.at(-1)!;
  const [left, right] = [DDU_GRID[above - 1], DDU_GRID[above]];
  const nll = (temperature: number) => likelihood(part, classes, 1 / temperature).nll;
  return nll(left) <= nll(right) ? left : right;
}
