/** The token that requests show; it lives as long as the tab, and stands in no address. */

const KEY = "collapsar-token";
const EVENT = "collapsar-refused";

/** Returns the token that was entered in this tab, or null. */
export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

/** Keeps `value` for this tab; null forgets it. */
export function keepToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
}

/** Says to whoever watches that the service answered 401. */
export function tellRefused(): void {
  dispatchEvent(new Event(EVENT));
}

/** Calls `listener` whenever the service answered 401; returns what ends that. */
export function onRefused(listener: () => void): () => void {
  addEventListener(EVENT, listener);
  return () => removeEventListener(EVENT, listener);
}
