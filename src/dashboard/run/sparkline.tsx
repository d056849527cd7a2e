const WIDTH = 90;
const HEIGHT = 18;
const MARGIN = 2;

/** A course of values without axes, between its least and its largest; a gap where one is missing. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (i: number) => MARGIN + (i * (WIDTH - 2 * MARGIN)) / Math.max(1, values.length - 1);
  const y = (value: number) => HEIGHT - MARGIN - ((value - low) * (HEIGHT - 2 * MARGIN)) / (high - low || 1);
  let pen = "M";
  const steps = values.map((value, i) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const step = `${pen}${x(i).toFixed(1)},${y(value).toFixed(1)}`;
    pen = "L";
    return step;
  });
  return (
    <svg class="sparkline" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={steps.join("")} fill="none" stroke="var(--group-0)" stroke-width="1.4" />
    </svg>
  );
}
