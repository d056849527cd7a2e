import type { RunList } from "../../api/contract.ts";
import { path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { formatAgo } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Empty } from "../parts/empty.tsx";
import { Pages } from "../parts/pages.tsx";
import { SearchField } from "../parts/searchField.tsx";
import { useTitle } from "../parts/title.ts";
import { useQuery } from "../query.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";
import { Labels } from "./labels.tsx";

type Run = RunList["items"][number];

/** Runs by id, a page at a time: searched, of one experiment, of one group. */
export default function Runs() {
  useTitle("Runs");
  const [query, change] = useQuery();
  const { q, experiment, group, cursor } = query;
  const answer = useAnswer<RunList>(withQuery("/runs", { q, experiment, group, cursor }));
  return (
    <>
      <h1>Runs</h1>
      <search class="filters">
        <SearchField label="Search" value={q ?? ""} onSearch={(text) => change({ q: text, cursor: null }, true)} />
        <Restriction name="experiment" value={experiment} onLift={() => change({ experiment: null, cursor: null })} />
        <Restriction name="group" value={group} onLift={() => change({ group: null, cursor: null })} />
      </search>
      <Answered answer={answer}>
        {({ items, next }) => (
          <>
            <DataTable
              caption="Runs in order of id"
              fileName="runs"
              columns={COLUMNS}
              rows={items}
              keyOf={({ id }) => id}
              empty={<NoRuns isFiltered={Boolean(q || experiment || group)} />}
            />
            <Pages of="runs" cursor={cursor} next={next} onPage={(to) => change({ cursor: to })} />
          </>
        )}
      </Answered>
    </>
  );
}

const COLUMNS: readonly Column<Run>[] = [
  { heading: "Run", value: ({ id }) => id, show: ({ id }) => <a href={path`/ui/runs/${id}`}>{id}</a> },
  {
    heading: "Experiment",
    value: ({ experiment }) => experiment ?? "",
    show: ({ experiment }) => experiment && <a href={path`/ui/experiments/${experiment}`}>{experiment}</a>,
  },
  { heading: "Group", value: ({ group }) => group ?? "" },
  { heading: "Seed", value: ({ seed }) => seed },
  {
    heading: "Labels",
    value: ({ labels }) =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(" "),
    show: ({ labels }) => <Labels labels={labels} />,
  },
  { heading: "Checkpoints", value: ({ checkpoints }) => checkpoints },
  { heading: "Last epoch", value: ({ lastEpoch }) => lastEpoch },
  {
    heading: "Updated",
    value: ({ updatedAt }) => updatedAt,
    show: ({ updatedAt }) => <time dateTime={updatedAt}>{formatAgo(updatedAt)}</time>,
  },
];

interface RestrictionProps {
  readonly name: string;
  readonly value: string | undefined;
  readonly onLift: () => void;
}

function Restriction({ name, value, onLift }: RestrictionProps) {
  if (value === undefined) return null;
  return (
    <button type="button" class="restriction" aria-label={`Show every ${name}, not ${value} alone`} onClick={onLift}>
      {name} {value} <span aria-hidden="true">×</span>
    </button>
  );
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return <Empty title="No run matches">Take back a filter, or search for a part of an id, group or label.</Empty>;
  return (
    <Empty title="There is no run yet">
      <a href="/ui/submit">Submit a checkpoint</a>: its run appears when it has been evaluated.
    </Empty>
  );
}
