/** A part of a list, and the cursor that asks for the next part; null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Where a page starts (after the item with this id) and how many items it has at most. */
export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Returns the page made of `rows`, of which one more than `limit` was asked for. */
export function toPage<T extends { readonly id: string }>(rows: readonly T[], limit: number): Page<T> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? items.at(-1)!.id : null };
}
