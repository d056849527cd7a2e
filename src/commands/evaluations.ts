import { Command, Option } from "commander";
import type { EvaluationList, EvaluationResource } from "../api/contract.ts";
import { readConfig } from "../config.ts";
import { withConnection } from "./connection.ts";
import { jsonOption, print } from "./output.ts";
import { formatTable } from "./table.ts";

interface Options {
  readonly status?: string;
  readonly run?: string;
  readonly experiment?: string;
  readonly cancel?: string;
  readonly retry?: string;
  readonly json?: boolean;
}

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"];
const SHOWN = 100;

/** Returns the command `evaluations`: what waits, runs and has ended; cancels one, or queues one again. */
export function evaluationsCommand(): Command {
  return new Command("evaluations")
    .description(`List the newest ${SHOWN} evaluations, or cancel or retry one.`)
    .addOption(new Option("--status <status>", "only those of this status").choices(STATUSES))
    .option("--run <id>", "only those of this run")
    .option("--experiment <name>", "only those of this experiment")
    .addOption(new Option("--cancel <id>", "end this evaluation; a worker that is at it stops").conflicts("retry"))
    .option("--retry <id>", "queue this evaluation again, which failed or was cancelled")
    .addOption(jsonOption())
    .action(({ cancel, retry, json, ...filter }: Options) =>
      withConnection(readConfig(), "collapsar evaluations", async ({ request }) => {
        const act = (id: string, action: string) =>
          request<EvaluationResource>(`/evaluations/${encodeURIComponent(id)}/${action}`, { method: "POST" });
        if (cancel !== undefined) return print(await act(cancel, "cancel"), json, formatOne);
        if (retry !== undefined) return print(await act(retry, "retry"), json, formatOne);
        const query = new URLSearchParams({ ...filter, limit: String(SHOWN) });
        const { items } = await request<EvaluationList>(`/evaluations?${query}`);
        print(items, json, formatEvaluations);
      }),
    );
}

function formatOne({ id, status }: EvaluationResource): string {
  return `evaluation ${id} is ${status}`;
}

function formatEvaluations(evaluations: EvaluationList["items"]): string {
  if (evaluations.length === 0) return "no such evaluations";
  const headings = ["evaluation", "status", "run", "checkpoint", "error"];
  return formatTable(
    headings.map((heading) => ({ heading, align: "left" as const })),
    evaluations.map(({ id, status, run, checkpoint, error }) => [
      ...[id, status, run ?? "–", checkpoint.url],
      error ? `${error.message} (${error.code})` : "",
    ]),
  );
}
