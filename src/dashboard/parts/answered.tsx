import type { ComponentChildren } from "preact";
import type { Refusal } from "../answers/request.ts";
import type { Answer } from "../answers/useAnswer.ts";

interface AnsweredProps<T> {
  readonly answer: Answer<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** What an answer of the service shows: that it is awaited, that there is none and why, or its data. */
export function Answered<T>({ answer: { data, loading, refusal, renew }, children }: AnsweredProps<T>) {
  if (refusal && refusal.status !== 401) return <Refused refusal={refusal} retry={renew} />;
  if (data === null)
    return (
      <p class="loading" role="status">
        {loading ? "Loading …" : ""}
      </p>
    );
  return (
    <div class={loading ? "answered stale" : "answered"} aria-busy={loading}>
      {children(data)}
    </div>
  );
}

/** What the service refused, and what to do about it. */
export function Refused({ refusal, retry }: { readonly refusal: Refusal; readonly retry?: (() => void) | undefined }) {
  return (
    <div class="refused" role="alert">
      <p>
        <strong>{TITLES[refusal.code] ?? "This did not work"}.</strong> {refusal.message}
      </p>
      {ADVICE[refusal.code] && <p>{ADVICE[refusal.code]}</p>}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  "not-found": "There is no such thing",
  forbidden: "Not allowed",
  unreachable: "No answer",
  "invalid-request": "The service cannot read this",
  conflict: "Not possible now",
};

const ADVICE: Readonly<Record<string, string>> = {
  "not-found":
    "It may have been deleted, or its name may have changed. The experiments and the queue list what there is.",
  forbidden: "Log in with a token of a larger scope: collapsar token create NAME --scope submit.",
  "database-unavailable": "The database does not answer. collapsar doctor says what is wrong.",
};
