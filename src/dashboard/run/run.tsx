import type { RunList, RunMetrics } from "../../api/contract.ts";
import { fetchAnswer, path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { count, formatAgo, shortDigest } from "../format.ts";
import { inOrder, mainMetrics } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { Choice, Switch } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { Facts } from "../parts/facts.tsx";
import { useTitle } from "../parts/title.ts";
import { useQuery } from "../query.ts";
import { save } from "../tables/save.ts";
import { CheckpointTable } from "./checkpointTable.tsx";
import { Labels } from "./labels.tsx";
import { MetricTable } from "./metricTable.tsx";
import { RunCharts } from "./runCharts.tsx";

type RunResource = RunList["items"][number];

/** One run: where it belongs, every metric over its checkpoints, and each checkpoint with its evaluation. */
export default function Run({ id }: { readonly id: string }) {
  useTitle(id);
  const run = useAnswer<RunResource>(path`/runs/${id}`);
  const metrics = useAnswer<RunMetrics>(path`/runs/${id}/metrics`);
  return (
    <>
      <p class="trail">
        <a href="/">Experiments</a> › <a href="/ui/runs">Runs</a>
      </p>
      <h1>{id}</h1>
      <Answered answer={run}>{(data) => <Identity run={data} />}</Answered>
      {!run.refusal && <Answered answer={metrics}>{(data) => <Measured id={id} metrics={data.metrics} />}</Answered>}
    </>
  );
}

function Identity({
  run: { experiment, group, seed, labels, createdAt, updatedAt, checkpoints, lastEpoch },
}: {
  readonly run: RunResource;
}) {
  const of = experiment !== null && path`/ui/experiments/${experiment}`;
  return (
    <Facts
      facts={{
        experiment: of && <a href={of}>{experiment}</a>,
        group: group !== null && <a href={withQuery("/ui/runs", { experiment, group })}>{group}</a>,
        seed: seed === null ? null : String(seed),
        labels: Object.keys(labels).length > 0 && <Labels labels={labels} />,
        checkpoints: `${checkpoints} evaluated${lastEpoch === null ? "" : `, the last of epoch ${lastEpoch}`}`,
        recorded: `first ${formatAgo(createdAt)}, last ${formatAgo(updatedAt)}`,
      }}
    />
  );
}

/** What was measured with one protocol; a run that has several shows one after the other. */
function Measured({ id, metrics }: { readonly id: string; readonly metrics: RunMetrics["metrics"] }) {
  const [query, change] = useQuery();
  const protocols = Map.groupBy(metrics, ({ protocol }) => protocol);
  const chosen =
    protocols.get(query.protocol ?? "") ?? [...protocols.values()].toSorted((a, b) => b.length - a.length)[0];
  if (!chosen)
    return (
      <Empty title="No checkpoint of this run has been evaluated">
        See in the <a href={withQuery("/ui/queue", { run: id })}>queue</a> what became of it.
      </Empty>
    );
  const all = inOrder([...new Set(chosen.flatMap(({ values }) => Object.keys(values)))]);
  const names = query.all === "1" ? all : mainMetrics(all);
  return (
    <>
      <search class="filters">
        {protocols.size > 1 && (
          <Choice
            label="Evaluated on"
            value={chosen[0]!.protocol}
            options={[...protocols].map(([protocol, [first, ...others]]) => [
              protocol,
              `${first!.dataset}, protocol ${shortDigest(protocol)} (${count(others.length + 1, "checkpoint")})`,
            ])}
            onChange={(protocol) => change({ protocol })}
          />
        )}
        <Switch
          label={`All ${all.length} metrics`}
          on={query.all === "1"}
          onChange={(on) => change({ all: on ? "1" : null })}
        />
        <button type="button" onClick={() => saveAll(id)}>
          All numbers as CSV
        </button>
      </search>
      <RunCharts run={id} checkpoints={chosen} />
      <MetricTable run={id} checkpoints={chosen} names={names} />
      <CheckpointTable run={id} checkpoints={chosen} />
    </>
  );
}

async function saveAll(id: string): Promise<void> {
  const answer = await fetchAnswer(withQuery(path`/runs/${id}/metrics`, { format: "csv" }));
  save(`${id}.csv`, await answer.blob(), "text/csv");
}
