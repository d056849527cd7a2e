import gammaRatio from "@stdlib/math-base-special-gamma-delta-ratio";
import { meanDifference, standardDeviation } from "./moments.ts";

/** How far two groups are apart, in standard deviations. Where that is not defined, the numbers are null. */
export interface EffectSize {
  readonly g: number | null;
  readonly ci95: readonly [low: number, high: number] | null;
  /** Why there is no effect size; null where there is one. */
  readonly reason: string | null;
}

/** Φ⁻¹(0.975). */
const NORMAL_975 = 1.959963984540054;

/**
 * Returns Hedges' g of two independent samples, J·(mean(a) − mean(b))/s with the pooled standard deviation s, m =
 * n_a+n_b−2 and the exact J = Γ(m/2)/(√(m/2)·Γ((m−1)/2)) (Hedges 1981). Its interval is g ± Φ⁻¹(0.975)·se with
 * se² = (n_a+n_b)/(n_a·n_b) + g²/(2(n_a+n_b)), the large-sample one of Hedges and Olkin (1985, p. 86).
 */
export function hedgesG(a: readonly number[], b: readonly number[]): EffectSize {
  if (a.length < 2 || b.length < 2) return undefinedSize("a group has fewer than 2 values");
  const m = a.length + b.length - 2;
  const parts = [a, b].map((values) => standardDeviation(values) * Math.sqrt((values.length - 1) / m));
  const pooled = Math.hypot(...parts);
  if (pooled === 0) return undefinedSize("neither group varies");
  const correction = 1 / (Math.sqrt(m / 2) * gammaRatio((m - 1) / 2, 1 / 2));
  const g = (correction * meanDifference(a, b)) / pooled;
  const total = a.length + b.length;
  const half = NORMAL_975 * Math.sqrt(total / (a.length * b.length) + g ** 2 / (2 * total));
  return { g, ci95: [g - half, g + half], reason: null };
}

function undefinedSize(reason: string): EffectSize {
  return { g: null, ci95: null, reason };
}
