import { type Command, Option } from "commander";
import type { EvaluationList, EvaluationResource } from "../api/contract.ts";
import { type OutputOptions, print } from "./output.ts";
import { formatTable } from "./table.ts";

interface Options extends OutputOptions {
  readonly status?: string;
  readonly run?: string;
  readonly experiment?: string;
  readonly cancel?: string;
  readonly retry?: string;
}

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"];
const SHOWN = 100;

/** Defines `evaluations`: what waits, runs and has ended; cancels one, or queues one again. */
export function define(command: Command): void {
  command
    .addOption(new Option("--status <status>", "only those of this status").choices(STATUSES))
    .option("--run <id>", "only those of this run")
    .option("--experiment <name>", "only those of this experiment")
    .addOption(new Option("--cancel <id>", "end this evaluation; a worker that is at it stops").conflicts("retry"))
    .option("--retry <id>", "queue this evaluation again, which failed or was cancelled")
    .action(async ({ cancel, retry, json, quiet, ...filter }: Options) => {
      const { withConnection } = await import("./connection.ts");
      const output = { json, quiet };
      await withConnection("collapsar evaluations", async ({ request }) => {
        const act = (id: string, action: string) =>
          request<EvaluationResource>(`/evaluations/${encodeURIComponent(id)}/${action}`, { method: "POST" });
        if (cancel !== undefined) return print(await act(cancel, "cancel"), output, formatOne, nothing);
        if (retry !== undefined) return print(await act(retry, "retry"), output, formatOne, nothing);
        const query = new URLSearchParams({ ...filter, limit: String(SHOWN) });
        const { items } = await request<EvaluationList>(`/evaluations?${query}`);
        print(items, output, formatEvaluations, namesOf);
      });
    });
}

const nothing = () => "";
const namesOf = (evaluations: EvaluationList["items"]) => evaluations.map(({ id }) => id).join("\n");

function formatOne({ id, status }: EvaluationResource): string {
  return `evaluation ${id} is ${status}`;
}

/** Of a known run the file's name tells enough, and lets the table fit; `--json` has the URL. */
const fileOf = (url: string) => decodeURIComponent(url.split("/").at(-1)!);

function formatEvaluations(evaluations: EvaluationList["items"]): string {
  if (evaluations.length === 0) return "no such evaluations";
  const headings = ["evaluation", "status", "run", "checkpoint", "error"];
  return formatTable(
    headings.map((heading, i) => ({ heading, align: "left" as const, unbroken: i === 0 })),
    evaluations.map(({ id, status, run, checkpoint, error }) => [
      ...[id, status, run ?? "–", run === null ? checkpoint.url : fileOf(checkpoint.url)],
      error ? `${error.message} (${error.code})` : "",
    ]),
  );
}
