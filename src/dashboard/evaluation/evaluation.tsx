import { useEffect, useState } from "preact/hooks";
import type { EvaluationResource } from "../../api/contract.ts";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { follow } from "../answers/follow.ts";
import { path } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { Answered } from "../parts/answered.tsx";
import { ProgressBar, StatusMark } from "../parts/status.tsx";
import { useTitle } from "../parts/title.ts";
import { Act } from "../queue/act.tsx";
import { AttemptLog } from "./attemptLog.tsx";
import { Calibration } from "./calibration.tsx";
import { ClassStructure } from "./classStructure.tsx";
import { Detection } from "./detection.tsx";
import { Provenance } from "./provenance.tsx";
import { Values } from "./values.tsx";

/** One evaluation: how far it is or why it failed, its numbers, and what of them is a picture. */
export default function Evaluation({ id }: { readonly id: string }) {
  useTitle(`Evaluation ${id}`);
  const asked = useAnswer<EvaluationResource>(path`/evaluations/${id}`);
  const { renew } = asked;
  const followed = useFollowed(asked.data?.id === id ? asked.data : null);
  const answer = { ...asked, data: followed ?? asked.data };
  return (
    <>
      <Title id={id} evaluation={answer.data} />
      <Answered answer={answer}>
        {(evaluation) => (
          <>
            <State evaluation={evaluation} onAct={renew} />
            <Provenance evaluation={evaluation} />
            <AttemptLog log={evaluation.attemptLog} />
            {evaluation.status === "succeeded" && <Measured evaluation={evaluation} />}
          </>
        )}
      </Answered>
    </>
  );
}

function Title({ id, evaluation }: { readonly id: string; readonly evaluation: EvaluationResource | null }) {
  const { run, epoch, checkpoint } = evaluation ?? { run: null, epoch: null, checkpoint: null };
  const file = checkpoint?.url.split("/").at(-1) ?? `Evaluation ${id}`;
  return (
    <>
      <p class="trail">
        <a href="/ui/queue">Queue</a>
        {run !== null && " › "}
        {run !== null && <a href={path`/ui/runs/${run}`}>{run}</a>}
      </p>
      <h1>{run === null ? file : `${run}${epoch === null ? "" : `, epoch ${epoch}`}`}</h1>
    </>
  );
}

/** How far it is or why it ended, and what can be done about that. */
function State({ evaluation, onAct }: { readonly evaluation: EvaluationResource; readonly onAct: () => void }) {
  const { id, status, progress, error, sameAs } = evaluation;
  return (
    <>
      <p class="state" role="status">
        <StatusMark status={status} />
        {status === "running" && progress && <ProgressBar progress={progress} />}
        {status === "queued" && <span>waits for a worker</span>}
        <Act item={{ id, status }} onDone={onAct} />
      </p>
      {error && status !== "succeeded" && (
        <div class="refused">
          <strong>
            <code>{error.code}</code>
          </strong>{" "}
          {error.message}
        </div>
      )}
      {sameAs && (
        <p class="note">
          The same bytes were evaluated before with this protocol: the numbers are those of{" "}
          <a href={path`/ui/evaluations/${sameAs}`}>{sameAs}</a>.
        </p>
      )}
    </>
  );
}

function Measured({ evaluation }: { readonly evaluation: EvaluationResource }) {
  const { id, values, omitted } = evaluation;
  const details = useAnswer<EvaluationDetails>(path`/evaluations/${id}/details`);
  return (
    <>
      <Answered answer={details}>
        {({ ood, calibration, collapse }) => (
          <>
            {ood && <Detection id={id} sets={ood} values={values} />}
            {collapse && <ClassStructure id={id} collapse={collapse} />}
            {calibration && <Calibration id={id} reports={calibration} />}
            {!ood && !calibration && !collapse && (
              <p class="note">No curves were kept of this evaluation; its numbers are below.</p>
            )}
          </>
        )}
      </Answered>
      <Values id={id} values={values} omitted={omitted} />
    </>
  );
}

/** Returns the evaluation as it changes, until it has ended; null as long as nothing newer than `known` came. */
function useFollowed(known: EvaluationResource | null): EvaluationResource | null {
  const [latest, setLatest] = useState<EvaluationResource | null>(null);
  const isUnfinished = known?.status === "queued" || known?.status === "running";
  const id = known?.id;
  useEffect(() => {
    setLatest(null);
    if (!isUnfinished || id === undefined) return;
    const abort = new AbortController();
    // where it is refused, what is shown stays; the page asks again when it is opened again
    follow<EvaluationResource>(path`/evaluations/${id}/events`, setLatest, abort.signal).catch(() => undefined);
    return () => abort.abort();
  }, [id, isUnfinished, known]);
  return latest?.id === id ? latest : null;
}
