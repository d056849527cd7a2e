const BLOCKS = "▁▂▃▄▅▆▇█";

/** From this ratio of the largest to the smallest on, steps are of equal ratio. */
const LOGARITHMIC_FROM = 10;

/** Returns values as bars of a character each, from the least to the greatest of them; a gap where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const [least, greatest] = [Math.min(...known), Math.max(...known)];
  const scale = least > 0 && greatest / least >= LOGARITHMIC_FROM ? Math.log : (value: number) => value;
  const range = scale(greatest) - scale(least);
  const barOf = (value: number) =>
    BLOCKS[range > 0 ? Math.round(((scale(value) - scale(least)) / range) * (BLOCKS.length - 1)) : 0]!;
  return values.map((value) => (value === null ? " " : barOf(value))).join("");
}
