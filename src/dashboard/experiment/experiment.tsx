import type { ExperimentResource } from "../../api/experimentSchemas.ts";
import { path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { count, formatAgo } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Empty } from "../parts/empty.tsx";
import { useTitle } from "../parts/title.ts";
import { useQuery } from "../query.ts";
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
        {(experiment) => {
          const scope = scopeOf(experiment, query);
          return (
            <>
              <p class="facts-line">
                {count(experiment.groups.length, by)} ·{" "}
                <a href={withQuery("/ui/runs", { experiment: name })}>{count(experiment.runs, "run")}</a> ·{" "}
                {count(experiment.seeds, "seed")} ·{" "}
                <time dateTime={experiment.updatedAt}>{formatAgo(experiment.updatedAt)}</time>
              </p>
              {scope ? <Sections scope={scope} /> : <NothingYet />}
            </>
          );
        }}
      </Answered>
    </>
  );
}

function Sections({ scope }: { readonly scope: Scope }) {
  return (
    <>
      <ExperimentFilters scope={scope} />
      <Trajectories scope={scope} />
      <GroupTable scope={scope} />
      <Comparison scope={scope} />
      <Correlation scope={scope} />
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
