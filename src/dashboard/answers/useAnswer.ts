import { useCallback, useEffect, useState } from "preact/hooks";
import { inTurns } from "../inTurns.ts";
import { get, type Refusal } from "./request.ts";

/** What is known of an answer: the data of the last one that came, whether another is awaited, why there is none. */
export interface Answer<T> {
  readonly data: T | null;
  readonly loading: boolean;
  readonly refusal: Refusal | null;
  /** Asks again. */
  readonly renew: () => void;
}

/** Answers by path, the latest used last, so that going back shows at once what was there. */
const known = new Map<string, unknown>();
const MOST_KNOWN = 60;

/**
 * What asks the most of the service is asked one after the other: a dozen such answers at once share its processors, so that
 * each comes as late as the last, and what a person asks for meanwhile waits behind them.
 */
const oneByOne = inTurns();

interface Asking {
  /** Asks again after so many milliseconds as long as the page is in sight. */
  readonly every?: number;
  /** Waits until other such answers are here that were asked for before. */
  readonly inTurn?: boolean;
}

/** Returns the answer to `GET path` (null: to nothing) as it becomes known; while another is awaited the previous one stays. */
export function useAnswer<T>(path: string | null, { every, inTurn = false }: Asking = {}): Answer<T> {
  const [state, setState] = useState<Omit<Answer<T>, "renew"> & { path: string | null }>(() => initial<T>(path));
  const [round, setRound] = useState(0);
  const renew = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (path === null) return setState(initial<T>(null));
    const abort = new AbortController();
    setState((old) => {
      const data = known.has(path) ? (known.get(path) as T) : old.data;
      return { path, data, loading: true, refusal: null };
    });
    const ask = () => get<T>(path, abort.signal);
    (inTurn ? oneByOne(ask, abort.signal) : ask()).then(
      (data) => {
        remember(path, data);
        setState({ path, data, loading: false, refusal: null });
      },
      (refusal: Refusal) => {
        if (!abort.signal.aborted) setState((old) => ({ ...old, path, loading: false, refusal }));
      },
    );
    return () => abort.abort();
  }, [path, round, inTurn]);
  useEffect(() => {
    if (every === undefined) return;
    const timer = setInterval(() => document.visibilityState === "visible" && renew(), every);
    return () => clearInterval(timer);
  }, [every, renew]);
  return { ...state, renew };
}

function initial<T>(path: string | null) {
  const data = path !== null && known.has(path) ? (known.get(path) as T) : null;
  return { path, data, loading: path !== null, refusal: null };
}

function remember(path: string, data: unknown): void {
  known.delete(path);
  known.set(path, data);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
}
