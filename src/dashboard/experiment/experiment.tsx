import { useMemo } from "preact/hooks";
import type { ExperimentResource } from "../../api/experimentSchemas.ts";
import { path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { count, formatAgo } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Empty } from "../parts/empty.tsx";
import { useTitle } from "../parts/title.ts";
import { type Query, useQuery } from "../query.ts";
import { Comparison } from "./comparison.tsx";
import { Correlation } from "./correlation.tsx";
import { ExperimentFilters } from "./experimentFilters.tsx";
import { GroupTable } from "./groupTable.tsx";
import { type Scope, scopeOf } from "./scope.ts";
import { Trajectories } from "./trajectories.tsx";

/** One experiment: how its groups go over the epochs, what they end with, which differences and correlations hold. */
export default function Experiment({ name }: { readonly name: string }) {
  useTitle(name);
  const [query] = useQuery();
  const by = query.by ?? "group";
  const answer = useAnswer<ExperimentResource>(withQuery(path`/experiments/${name}`, { by }));
  return (
    <>
      <p class="trail">
        <a href="/">Experiments</a>
      </p>
      <h1>{name}</h1>
      <Answered answer={answer}>
        {(experiment) => (
          <>
            <p class="facts-line">
              {count(experiment.groups.length, by)} ·{" "}
              <a href={withQuery("/ui/runs", { experiment: name })}>{count(experiment.runs, "run")}</a> ·{" "}
              {count(experiment.seeds, "seed")} ·{" "}
              <time dateTime={experiment.updatedAt}>{formatAgo(experiment.updatedAt)}</time>
            </p>
            <Found experiment={experiment} query={query} />
          </>
        )}
      </Answered>
    </>
  );
}

/** The scope stays the same while only the epochs of the charts change, and with it the tables are not made again. */
function Found({ experiment, query }: { readonly experiment: ExperimentResource; readonly query: Query }) {
  const { on, groups, all, epoch } = query;
  const scope = useMemo(() => scopeOf(experiment, { on, groups, all, epoch }), [experiment, on, groups, all, epoch]);
  return scope ? <Sections scope={scope} /> : <NothingYet />;
}

function Sections({ scope }: { readonly scope: Scope }) {
  const tables = useMemo(
    () => (
      <>
        <GroupTable scope={scope} />
        <Comparison scope={scope} />
        <Correlation scope={scope} />
      </>
    ),
    [scope],
  );
  return (
    <>
      <ExperimentFilters scope={scope} />
      <Trajectories scope={scope} />
      {tables}
    </>
  );
}

function NothingYet() {
  return (
    <Empty title="No checkpoint of this experiment has been evaluated yet">
      See in the <a href="/ui/queue">queue</a> what runs and what failed.
    </Empty>
  );
}
