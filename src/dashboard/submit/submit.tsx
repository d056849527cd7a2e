import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { EvaluationResource, Submissions } from "../../api/contract.ts";
import { path, post, type Refusal } from "../answers/request.ts";
import { count } from "../format.ts";
import { Refused } from "../parts/answered.tsx";
import { StatusMark } from "../parts/status.tsx";
import { useTitle } from "../parts/title.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";
import { Field } from "./field.tsx";
import { bodyOf } from "./request.ts";

/** A form for what `POST /evaluate` takes: one checkpoint, several, or a pattern. */
export default function Submit() {
  useTitle("Submit");
  const { route } = useLocation();
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [submitted, setSubmitted] = useState<Submissions | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setRefusal(null);
    setSubmitted(null);
    try {
      const answer = await post<EvaluationResource | Submissions>("/evaluate", bodyOf(form));
      if ("items" in answer) setSubmitted(answer);
      else route(path`/ui/evaluations/${answer.id}`);
    } catch (error) {
      setRefusal(error as Refusal);
    }
    setBusy(false);
  };
  return (
    <>
      <h1>Submit</h1>
      <form class="submit" onSubmit={submit}>
        <Field
          name="checkpoint"
          label="Checkpoints"
          hint="s3://bucket/key, https://host/path or file:///path; one per line, or a pattern such as s3://bucket/run-7/*.safetensors"
          lines={3}
          required
        />
        <Field name="dataset" label="Training set" hint="a name or a URL; empty: the checkpoint's own" suggestions />
        <Field
          name="ood"
          label="Out-of-distribution sets"
          hint="names or URLs, separated by spaces or lines"
          lines={2}
        />
        <details>
          <summary>Run, test and validation sets</summary>
          <div class="fields">
            <Field name="test" label="Test set" hint="empty: the test part of the training set" suggestions />
            <Field
              name="validation"
              label="Validation set"
              hint="empty: the part the network did not see"
              suggestions
            />
            <Field name="run.id" label="Run" hint="empty: the checkpoint's own, as for all that follows" />
            <Field name="run.experiment" label="Experiment" />
            <Field name="run.group" label="Group" />
            <Field name="run.seed" label="Seed" number />
            <Field name="run.epoch" label="Epoch" number />
            <Field name="priority" label="Priority" hint="-100 to 100; the highest is taken first" number />
          </div>
          <label class="switch">
            <input type="checkbox" name="force" />
            <span>Compute anew even if this was evaluated before</span>
          </label>
        </details>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? "Submitting …" : "Evaluate"}
        </button>
        {refusal && <Refused refusal={refusal} />}
      </form>
      {submitted && <Outcome items={submitted.items} />}
    </>
  );
}

type Item = Submissions["items"][number];

function Outcome({ items }: { readonly items: readonly Item[] }) {
  const refused = items.filter(({ error }) => error !== null).length;
  return (
    <section aria-live="polite">
      <DataTable
        caption={`${count(items.length - refused, "evaluation")}${refused > 0 ? `, ${refused} refused` : ""}`}
        fileName="submitted"
        columns={COLUMNS}
        rows={items}
        keyOf={({ checkpoint }) => checkpoint}
      />
    </section>
  );
}

const COLUMNS: readonly Column<Item>[] = [
  {
    heading: "Checkpoint",
    value: ({ checkpoint }) => checkpoint,
    show: ({ checkpoint, evaluation }) =>
      evaluation ? <a href={path`/ui/evaluations/${evaluation.id}`}>{checkpoint}</a> : checkpoint,
  },
  {
    heading: "State",
    value: ({ evaluation }) => evaluation?.status ?? "refused",
    show: ({ evaluation }) => (evaluation ? <StatusMark status={evaluation.status} /> : "refused"),
  },
  { heading: "Why", value: ({ error }) => error?.detail ?? "" },
];
