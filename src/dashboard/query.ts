import { useCallback } from "preact/hooks";
import { useLocation } from "preact-iso";

/** What a view's address says, by name. */
export type Query = Readonly<Record<string, string | undefined>>;

/** Changes to the address: null removes. */
export type Changes = Readonly<Record<string, string | null>>;

/**
 * Returns what the address says after its `?`, and what changes it: as a step that "back" undoes, or in its place
 * (`replace`), for what changes with every key.
 */
export function useQuery(): [query: Query, change: (changes: Changes, replace?: boolean) => void] {
  const { query, route } = useLocation();
  const change = useCallback(
    (changes: Changes, replace = false) => {
      const search = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") search.delete(name);
        else search.set(name, value);
      }
      route(location.pathname + (search.size > 0 ? `?${search}` : ""), replace);
    },
    [route],
  );
  return [query, change];
}
