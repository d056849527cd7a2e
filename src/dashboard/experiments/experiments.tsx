import type { ExperimentList } from "../../api/experimentSchemas.ts";
import { withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { count } from "../format.ts";
import { COLLAPSE_METRICS, labelOf, shortLabelOf } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { Pages } from "../parts/pages.tsx";
import { SearchField } from "../parts/searchField.tsx";
import { useTitle } from "../parts/title.ts";
import { type Changes, type Query, useQuery } from "../query.ts";
import { ExperimentTable } from "./experimentTable.tsx";

const SORTS = [
  ["-updated", "newest first"],
  ["updated", "oldest first"],
  ["name", "name"],
  ["-name", "name, backwards"],
  ["-runs", "most runs"],
  ["runs", "fewest runs"],
] as const;

const SUMMED_UP = [...COLLAPSE_METRICS, "accuracy", "ece", "nll"];

/** The experiments with their groups, seeds folded: searched, sorted, grouped by any label. */
export default function Experiments() {
  useTitle("Experiments");
  const [query, change] = useQuery();
  const { q, sort, by = "group", metric = "nc1", cursor } = query;
  const answer = useAnswer<ExperimentList>(withQuery("/experiments", { q, sort, by, metric, cursor }));
  return (
    <>
      <h1>Experiments</h1>
      <Filters query={query} change={change} labels={answer.data?.labels ?? []} />
      <Answered answer={answer}>
        {(list) =>
          list.items.length === 0 ? (
            <Nothing q={q} />
          ) : (
            <>
              <p class="note">
                {labelOf(metric)} after each run's own last epoch: mean ± half of its 95 % interval over the seeds of a
                group; the line is the range, the bar the interval, the dot the mean, on one logarithmic scale.
              </p>
              <ExperimentTable list={list} />
              <p class="note">{count(list.items.length, "experiment")} on this page.</p>
              <Pages of="experiments" cursor={cursor} next={list.next} onPage={(next) => change({ cursor: next })} />
            </>
          )
        }
      </Answered>
    </>
  );
}

interface FiltersProps {
  readonly query: Query;
  readonly change: (changes: Changes, replace?: boolean) => void;
  readonly labels: readonly string[];
}

function Filters({ query: { q = "", sort = "-updated", by = "group", metric = "nc1" }, change, labels }: FiltersProps) {
  return (
    <search class="filters">
      <SearchField label="Search" value={q} onSearch={(text) => change({ q: text, cursor: null }, true)} />
      <Choice label="Sort" value={sort} options={SORTS} onChange={(value) => change({ sort: value, cursor: null })} />
      <Choice
        label="Group by"
        value={by}
        options={[...new Set(["group", "seed", ...labels, by])]}
        onChange={(value) => change({ by: value })}
      />
      <Choice
        label="Metric"
        value={metric}
        options={[...new Set([...SUMMED_UP, metric])].map((name) => [name, shortLabelOf(name)] as const)}
        onChange={(value) => change({ metric: value })}
      />
    </search>
  );
}

function Nothing({ q }: { readonly q: string | undefined }) {
  if (q)
    return (
      <Empty title={`Nothing matches “${q}”`}>
        A search looks for a part of the name of an experiment, and of the id, the group or a label of its runs.
      </Empty>
    );
  return (
    <Empty title="Nothing has been evaluated yet">
      <a href="/ui/submit">Submit a checkpoint</a>, post one to <code>/evaluate</code> from your training, or type{" "}
      <code>npm run demo</code> in a clone for two groups of three small networks.
    </Empty>
  );
}
