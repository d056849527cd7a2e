import { z } from "@hono/zod-openapi";
import type { OneEpoch } from "../database/selection.ts";
import { CollapsarError } from "../errors.ts";
import { metricOf } from "../metrics/names.ts";
import type { Cell } from "./csv.ts";
import { problemAnswer } from "./responses.ts";

/** What every question about groups of runs may say. */
export const selectionQuery = {
  experiment: z.string().optional(),
  by: z.string().default("group").openapi({ description: "group, experiment, seed or the key of a label" }),
  dataset: z.string().optional(),
  format: z.enum(["json", "csv"]).default("json"),
};

const EPOCHS =
  "last: each run's own last epoch; a number; best:METRIC: the earliest epoch with its best value (:min or :max says which is best)";

/** The parameter `epoch` where each run stands for itself once; `parseEpoch` reads it. */
export const epochParameter = z.string().default("last").openapi({ description: EPOCHS });

/** The same where all epochs may be asked for, too. */
export const epochsParameter = z
  .string()
  .default("last")
  .openapi({ description: `${EPOCHS}; all: a row per epoch` });

/** The parameter `metrics`; `parseMetrics` reads it. */
export const metricsParameter = z.string().optional().openapi({ description: "names, comma-separated; default all" });

/** Returns the OpenAPI entries of an answer that can be had as CSV too. */
export function tableAnswers<T extends z.ZodType>(schema: T, description: string) {
  return {
    200: { description, content: { "application/json": { schema }, "text/csv": { schema: z.string() } } },
    400: problemAnswer,
    404: problemAnswer,
  };
}

/** Returns the names in a comma-separated list. @throws CollapsarError `invalid-request` where one is of no metric. */
export function parseMetrics(text: string | undefined): string[] | undefined {
  const names = text?.split(",").filter((name) => name !== "");
  for (const name of names ?? []) requireMetric("metrics", name);
  return names;
}

/** Throws CollapsarError `invalid-request` where `name`, the value of a parameter, is of no metric. */
export function requireMetric(parameter: string, name: string): void {
  if (metricOf(name)) return;
  const expected = "a name such as nc1, ece:after_nll_optimum or auroc:SET:SCORE";
  throw new CollapsarError("invalid-request", `${parameter}: there is no metric "${name}", expected ${expected}`);
}

/**
 * Returns which epoch `text` means: `last`, a whole number, `best:METRIC`, `best:METRIC:min` or `best:METRIC:max`.
 * @throws CollapsarError `invalid-request`.
 */
export function parseEpoch(text: string): OneEpoch {
  if (text === "last") return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const [, metric, direction] = /^best:(.+?)(?::(min|max))?$/s.exec(text) ?? [];
  if (!metric)
    throw new CollapsarError(
      "invalid-request",
      `epoch: expected last, a whole number, best:METRIC, best:METRIC:min or best:METRIC:max, not "${text}"`,
    );
  return { metric, direction: (direction as "min" | "max" | undefined) ?? betterDirection(metric) };
}

function betterDirection(metric: string): "min" | "max" {
  const better = metricOf(metric)?.better;
  if (better === "lower") return "min";
  if (better === "higher") return "max";
  throw new CollapsarError(
    "invalid-request",
    `epoch: which value of "${metric}" is best is not known, expected best:${metric}:min or best:${metric}:max`,
  );
}

/** Returns the runs with their reasons as one cell. */
export function reasonsCell(runs: readonly { readonly run: string; readonly reason: string }[]): Cell {
  return runs.map(({ run, reason }) => `${run} (${reason})`).join("; ");
}
