/** Multiples of the powers of ten that a logarithmic axis names: the first that are enough for the eye. */
const MULTIPLES = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 5, 7], [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]];
const ENOUGH = 3;
const STEPS = [1, 2, 5];

/** Returns what a logarithmic axis from `low` to `high` (positive) names. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  const ticksOf = (multiples: readonly number[]) =>
    powers
      .flatMap((power) => multiples.map((multiple) => Number(`${multiple}e${power}`)))
      .filter((tick) => tick >= low && tick <= high);
  const multiples = MULTIPLES.find((some) => ticksOf(some).length >= ENOUGH);
  return multiples ? ticksOf(multiples) : evenTicks(low, high);
}

/** A range too short for multiples of the powers of ten is named at even steps. */
function evenTicks(low: number, high: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / ENOUGH));
  const step = power * (STEPS.findLast((multiple) => Math.floor((high - low) / (multiple * power)) >= ENOUGH) ?? 1);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** Returns whole epochs from `first` to `last`, at most about `most` of them. */
export function epochTicks([first, last]: readonly [number, number], most: number): number[] {
  const least = (last - first) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  const step = [1, 2, 5, 10].map((multiple) => multiple * power).find((candidate) => candidate >= least) ?? 10 * power;
  const from = Math.ceil(first / step) * step;
  return Array.from({ length: Math.floor((last - from) / step) + 1 }, (_, i) => from + i * step);
}
