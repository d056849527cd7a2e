/** How numbers, times and names are shown; full precision is in what is exported. */

/** Returns a number as people read it in a table: four significant digits; null is a dash. */
export function formatNumber(value: number | null | undefined): string {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** Returns "mean ± half width of the 95 % interval"; of one value there is no interval. */
export function formatMean(mean: number | null, low?: number | null, high?: number | null): string {
  if (low == null || high == null) return formatNumber(mean);
  return `${formatNumber(mean)} ± ${formatNumber((high - low) / 2)}`;
}

/** Returns a p-value with two significant digits; what is smaller than anybody believes, as a bound. */
export function formatP(p: number | null): string {
  if (p === null) return "–";
  return p < 1e-4 ? "< 0.0001" : String(Number(p.toPrecision(2)));
}

/** Returns an interval. */
export function formatInterval(interval: readonly [number, number] | null): string {
  return interval ? `[${formatNumber(interval[0])}, ${formatNumber(interval[1])}]` : "–";
}

/** Returns a number of bytes. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return "–";
  const steps = ["B", "kB", "MB", "GB"];
  const step = Math.min(steps.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${steps[step]}`;
}

/** Returns seconds as people say them. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** Returns the time since `iso` ("3 min ago"), of what is older than a week the day. */
export function formatAgo(iso: string, now: number = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 3600) return seconds < 60 ? `${Math.round(seconds)} s ago` : `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  return seconds < 7 * 86400 ? `${Math.round(seconds / 86400)} d ago` : iso.slice(0, 10);
}

/** Returns the number with its noun: "1 run", "3 runs". */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** Returns the beginning of a digest. */
export function shortDigest(digest: string | null): string {
  return digest === null ? "–" : digest.slice(0, 8);
}

/** Returns the name of a group as it is shown. */
export function groupLabel(group: string | null): string {
  return group ?? "(none)";
}
