type Key = string | number | null;

/** Returns the `items` in ascending order of the keys that `keysOf` gives, the first that differs decides; null is last. */
export function inOrder<T>(items: readonly T[], keysOf: (item: T) => readonly Key[]): T[] {
  return items
    .map((item) => ({ item, keys: keysOf(item) }))
    .sort((a, b) => compareFirst(a.keys, b.keys))
    .map(({ item }) => item);
}

function compareFirst(a: readonly Key[], b: readonly Key[]): number {
  const at = a.findIndex((key, i) => key !== b[i]);
  if (at < 0) return 0;
  const [left, right] = [a[at]!, b[at]!];
  if (left === null || right === null) return left === null ? 1 : -1;
  return left < right ? -1 : 1;
}
