import type { EvaluationList } from "../../api/contract.ts";

type Status = EvaluationList["items"][number]["status"];

/** The state of an evaluation, in a word and a colour. */
export function StatusMark({ status }: { readonly status: Status }) {
  return <span class={`status ${status}`}>{status}</span>;
}

/** How far an evaluation is. */
export function ProgressBar({
  progress,
}: {
  readonly progress: NonNullable<EvaluationList["items"][number]["progress"]>;
}) {
  const { stage, done, total } = progress;
  const percent = total > 0 ? Math.round((100 * done) / total) : 0;
  return (
    <span class="progress">
      <progress value={done} max={total || 1} aria-label={`${stage}: ${percent} %`} />
      <span>
        {stage} {percent} %
      </span>
    </span>
  );
}
