import type { EvaluationList } from "../../api/contract.ts";
import { path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { formatAgo } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Pages } from "../parts/pages.tsx";
import { ProgressBar, StatusMark } from "../parts/status.tsx";
import { useTitle } from "../parts/title.ts";
import { type Query, useQuery } from "../query.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";
import { Act } from "./act.tsx";
import { RetryAll } from "./retryAll.tsx";

type Item = EvaluationList["items"][number];

const EVERY_MS = 3000;

/** What of an evaluation runs, waits and failed, and why; each can be cancelled or run again. */
export default function Queue() {
  useTitle("Queue");
  const [query, change] = useQuery();
  return (
    <>
      <h1>Queue</h1>
      <search class="filters">
        {(["run", "experiment", "dataset"] as const).map((name) => (
          <label key={name} class="choice">
            <span>{name[0]!.toUpperCase() + name.slice(1)}</span>
            <input
              value={query[name] ?? ""}
              placeholder="any"
              onChange={(event) => change({ [name]: event.currentTarget.value })}
            />
          </label>
        ))}
      </search>
      <Part status="running" title="Running" none="Nothing runs." query={query} />
      <Part status="queued" title="Waiting" none="Nothing waits." query={query} />
      <Part status="failed" title="Failed" none="Nothing failed." query={query} />
      <Part status="cancelled" title="Cancelled" none="Nothing was cancelled." query={query} />
      <Part status="succeeded" title="Done last" none="Nothing is done yet." query={query} />
    </>
  );
}

interface PartProps {
  readonly status: Item["status"];
  readonly title: string;
  readonly none: string;
  readonly query: Query;
}

function Part({ status, title, none, query: { run, experiment, dataset, ...query } }: PartProps) {
  const [, change] = useQuery();
  const cursor = query[status];
  const filter = { run, experiment, dataset, status, cursor, limit: status === "succeeded" ? 10 : 25 };
  const answer = useAnswer<EvaluationList>(withQuery("/evaluations", filter), { every: EVERY_MS });
  const { renew } = answer;
  return (
    <section aria-labelledby={`queue-${status}`}>
      <div class="section-head">
        <h2 id={`queue-${status}`}>{title}</h2>
        {status === "failed" && <RetryAll items={answer.data?.items ?? []} onDone={renew} />}
      </div>
      <Answered answer={answer}>
        {({ items, next }) => (
          <>
            <DataTable
              caption={`${title} evaluations`}
              fileName={`evaluations-${status}`}
              columns={columnsOf(status, renew)}
              rows={items}
              keyOf={({ id }) => id}
              empty={none}
            />
            <Pages
              of={`${title.toLowerCase()} evaluations`}
              cursor={cursor}
              next={next}
              onPage={(to) => change({ [status]: to })}
            />
          </>
        )}
      </Answered>
    </section>
  );
}

function columnsOf(status: Item["status"], renew: () => void): Column<Item>[] {
  const what: Column<Item> =
    status === "running"
      ? {
          heading: "Progress",
          value: ({ progress }) => progress?.stage ?? "",
          show: ({ progress }) => progress && <ProgressBar progress={progress} />,
        }
      : {
          heading: status === "queued" ? "Last error" : "Why",
          value: ({ error }) => error?.message ?? "",
          show: ({ error }) => error && <Why {...error} />,
        };
  const when = (item: Item) => (status === "running" ? item.startedAt : item.finishedAt) ?? item.createdAt;
  return [
    {
      heading: "Evaluation",
      value: ({ id }) => id,
      show: ({ id, checkpoint }) => (
        <a href={path`/ui/evaluations/${id}`} title={checkpoint.url}>
          {checkpoint.url.split("/").slice(-2).join("/")}
        </a>
      ),
    },
    { heading: "State", value: () => status, show: () => <StatusMark status={status} /> },
    ...(status === "succeeded" ? [] : [what]),
    {
      heading: "Run",
      value: ({ run }) => run ?? "",
      show: ({ run }) => run && <a href={path`/ui/runs/${run}`}>{run}</a>,
    },
    { heading: "Epoch", value: ({ epoch }) => epoch },
    { heading: "Attempts", value: ({ attempts }) => attempts },
    { heading: "Since", value: when, show: (item) => <time dateTime={when(item)}>{formatAgo(when(item))}</time> },
    ...(status === "succeeded"
      ? []
      : [{ heading: "Do", value: () => "", show: (item: Item) => <Act item={item} onDone={renew} /> }]),
  ];
}

function Why({ code, message }: { readonly code: string; readonly message: string }) {
  return (
    <span class="why">
      <code>{code}</code> {message}
    </span>
  );
}
