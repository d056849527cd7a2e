import type { RunMetrics } from "../../api/contract.ts";
import { path } from "../answers/request.ts";
import { shortDigest } from "../format.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";

type Checkpoint = RunMetrics["metrics"][number];

/** Where the numbers of a run come from: the bytes of each checkpoint, and the evaluation of it. */
export function CheckpointTable({
  run,
  checkpoints,
}: {
  readonly run: string;
  readonly checkpoints: readonly Checkpoint[];
}) {
  return (
    <section aria-labelledby="checkpoints">
      <h2 id="checkpoints">Checkpoints</h2>
      <DataTable
        caption="Where the numbers come from"
        fileName={`${run}-checkpoints`}
        columns={COLUMNS}
        rows={checkpoints}
        keyOf={({ evaluation }) => evaluation}
      />
    </section>
  );
}

const COLUMNS: readonly Column<Checkpoint>[] = [
  {
    heading: "Evaluation",
    value: ({ evaluation }) => evaluation,
    show: ({ evaluation }) => (
      <a class="mono" href={path`/ui/evaluations/${evaluation}`}>
        {evaluation}
      </a>
    ),
  },
  { heading: "Epoch", value: ({ epoch }) => epoch },
  { heading: "Dataset", value: ({ dataset }) => dataset },
  {
    heading: "SHA-256",
    value: ({ checkpoint }) => checkpoint.sha256,
    show: ({ checkpoint }) => (
      <span class="mono" title={checkpoint.sha256}>
        {shortDigest(checkpoint.sha256)}
      </span>
    ),
  },
  {
    heading: "Checkpoint",
    value: ({ checkpoint }) => checkpoint.url,
    show: ({ checkpoint }) => <span class="mono">{checkpoint.url}</span>,
  },
];
