/**
 * Returns the p-values adjusted for being many, in their order: of m of them the i-th smallest becomes
 * max_{j≤i} min(1, (m−j+1)·p_j) (Holm 1979). One that is null is no test: it does not count and stays null.
 */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const ascending = [...ps.entries()].filter((entry): entry is [number, number] => entry[1] !== null);
  ascending.sort(([, p], [, q]) => p - q);
  const adjusted = new Array<number | null>(ps.length).fill(null);
  let largest = 0;
  for (const [j, [place, p]] of ascending.entries()) {
    largest = Math.max(largest, Math.min(1, (ascending.length - j) * p));
    adjusted[place] = largest;
  }
  return adjusted;
}
