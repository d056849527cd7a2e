import { useState } from "preact/hooks";
import type { EvaluationList } from "../../api/contract.ts";
import { path, post, Refusal } from "../answers/request.ts";
import { count } from "../format.ts";

interface RetryAllProps {
  readonly items: EvaluationList["items"];
  readonly onDone: () => void;
}

/** The button that runs again everything that is listed, one after the other, and says what was refused. */
export function RetryAll({ items, onDone }: RetryAllProps) {
  const [said, setSaid] = useState("");
  const retry = async () => {
    let refused = 0;
    for (const [i, { id }] of items.entries()) {
      setSaid(`${i + 1} of ${items.length} …`);
      await post(path`/evaluations/${id}/retry`).catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        refused++;
      });
    }
    setSaid(refused > 0 ? `${count(refused, "evaluation")} could not be run again: retry one to see why.` : "");
    onDone();
  };
  if (items.length < 2) return said ? <span role="status">{said}</span> : null;
  return (
    <>
      <button type="button" onClick={retry}>
        Retry all {items.length}
      </button>
      <span role="status">{said}</span>
    </>
  );
}
