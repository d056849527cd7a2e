import { useState } from "preact/hooks";
import type { EvaluationList, EvaluationResource } from "../../api/contract.ts";
import { path, post, type Refusal } from "../answers/request.ts";
import { Refused } from "../parts/answered.tsx";

interface ActProps {
  readonly item: Pick<EvaluationList["items"][number], "id" | "status">;
  readonly onDone: () => void;
}

/** The button that cancels what has not ended, and runs again what failed. */
export function Act({ item, onDone }: ActProps) {
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const isUnfinished = item.status === "queued" || item.status === "running";
  if (item.status === "succeeded") return null;
  const act = async () => {
    setBusy(true);
    setRefusal(null);
    try {
      await post<EvaluationResource>(
        isUnfinished ? path`/evaluations/${item.id}/cancel` : path`/evaluations/${item.id}/retry`,
      );
      onDone();
    } catch (error) {
      setRefusal(error as Refusal);
    }
    setBusy(false);
  };
  return (
    <>
      <button
        type="button"
        disabled={busy}
        aria-label={`${isUnfinished ? "Cancel" : "Retry"} ${item.id}`}
        onClick={act}
      >
        {isUnfinished ? "Cancel" : "Retry"}
      </button>
      {refusal && <Refused refusal={refusal} />}
    </>
  );
}
