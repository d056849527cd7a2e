import type { EvaluationResource } from "../../api/contract.ts";
import { formatSeconds } from "../format.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";

type Attempt = EvaluationResource["attemptLog"][number];

/** What became of each attempt; of one that went well at once there is nothing to say. */
export function AttemptLog({ log }: { readonly log: readonly Attempt[] }) {
  if (log.length === 0 || (log.length === 1 && log[0]!.status === "succeeded")) return null;
  return (
    <DataTable
      caption="Attempts"
      fileName="attempts"
      columns={COLUMNS}
      rows={log}
      keyOf={({ attempt, startedAt }) => `${attempt} ${startedAt}`}
    />
  );
}

const lasted = ({ startedAt, endedAt }: Attempt) => endedAt && (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

const COLUMNS: readonly Column<Attempt>[] = [
  { heading: "Attempt", value: ({ attempt }) => attempt },
  { heading: "Began", value: ({ startedAt }) => startedAt },
  {
    heading: "Took",
    value: (attempt) => lasted(attempt) || null,
    text: (attempt) => {
      const seconds = lasted(attempt);
      return seconds ? formatSeconds(seconds) : "under way, or its worker was lost";
    },
  },
  { heading: "Then", value: ({ status }) => status ?? "" },
  {
    heading: "Error",
    value: ({ error }) => (error ? `${error.code}: ${error.message}` : ""),
    show: ({ error }) =>
      error && (
        <>
          <code>{error.code}</code> {error.message}
        </>
      ),
  },
];
