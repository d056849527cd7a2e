import { formatNumber } from "../format.ts";

const WIDTH = 120;
const HEIGHT = 14;
const MARGIN = 4;

/** What a mark shows of a group. */
interface Spread {
  readonly n: number;
  readonly mean: number | null;
  readonly ci95: readonly [number, number] | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** Returns where a value stands (pixels) on the one scale of all these groups: logarithmic where all of them are positive. */
export function rangeScale(values: readonly Spread[]): (value: number) => number {
  const ranges = values.flatMap(({ min, max }) => (min === null || max === null ? [] : [min, max]));
  const isPositive = ranges.every((value) => value > 0);
  const intervals = values.flatMap(({ ci95 }) => ci95 ?? []).filter((value) => !isPositive || value > 0);
  const ends = [...ranges, ...intervals];
  const place = isPositive ? (value: number) => Math.log(Math.max(value, Number.MIN_VALUE)) : (value: number) => value;
  const [low, high] = [place(Math.min(...ends)), place(Math.max(...ends))];
  const span = high - low || 1;
  const within = (x: number) => Math.min(1, Math.max(0, x));
  return (value) => MARGIN + (WIDTH - 2 * MARGIN) * within((place(value) - low) / span);
}

interface SpreadMarkProps {
  readonly summary: Spread;
  readonly colour: string;
  readonly scale: (value: number) => number;
}

/** The range of a group as a line, the 95 % interval of its mean as a bar, the mean as a dot. */
export function SpreadMark({ summary: { n, mean, ci95, min, max }, colour, scale }: SpreadMarkProps) {
  if (mean === null || min === null || max === null) return null;
  const y = HEIGHT / 2;
  const label = `n ${n}, from ${formatNumber(min)} to ${formatNumber(max)}`;
  return (
    <svg class="spread" width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <line x1={scale(min)} x2={scale(max)} y1={y} y2={y} stroke={colour} />
      {ci95 && (
        <rect
          x={scale(ci95[0])}
          width={scale(ci95[1]) - scale(ci95[0])}
          y={y - 3}
          height={6}
          fill={colour}
          opacity={0.35}
        />
      )}
      <circle cx={scale(mean)} cy={y} r={2.5} fill={colour} />
    </svg>
  );
}
