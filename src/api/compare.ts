import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ComparisonRow, Side } from "../database/compare.ts";
import { comparisonSchema } from "./contract.ts";
import { type Columns, columnsOf, csvTable } from "./csv.ts";
import {
  epochParameter,
  metricsParameter,
  parseEpoch,
  parseMetrics,
  reasonsCell,
  selectionQuery,
  tableAnswers,
} from "./selection.ts";
import type { Service } from "./service.ts";

export const route = createRoute({
  method: "get",
  path: "/compare",
  summary: "Two groups, metric by metric: Welch, paired t, Wilcoxon, Holm over the metrics, Hedges' g",
  request: {
    query: z.object({
      ...selectionQuery,
      a: z.string(),
      b: z.string(),
      metrics: metricsParameter,
      epoch: epochParameter,
    }),
  },
  responses: tableAnswers(comparisonSchema, "a row per metric, dataset and protocol; differences are a − b"),
});

const SIDE: Columns<Side> = {
  n: ({ n }) => n,
  mean: ({ mean }) => mean,
  sd: ({ sd }) => sd,
  ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
  ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
  epochs: ({ epochs }) => epochs.join(" "),
  missing: ({ missing }) => reasonsCell(missing),
};

const T_TEST: Columns<ComparisonRow["welch"]> = {
  difference: ({ difference }) => difference,
  ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
  ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
  t: ({ t }) => t,
  df: ({ df }) => df,
  p: ({ p }) => p,
  p_holm: ({ pHolm }) => pHolm,
  reason: ({ reason }) => reason,
};

const COLUMNS: Columns<ComparisonRow> = {
  metric: ({ metric }) => metric,
  dataset: ({ dataset }) => dataset,
  protocol: ({ protocol }) => protocol,
  ...columnsOf("a", ({ a }: ComparisonRow) => a, SIDE),
  ...columnsOf("b", ({ b }: ComparisonRow) => b, SIDE),
  shared_seeds: ({ sharedSeeds }) => sharedSeeds.join(" "),
  unpaired: ({ unpaired }) => reasonsCell(unpaired),
  ...columnsOf("welch", ({ welch }: ComparisonRow) => welch, T_TEST),
  ...columnsOf("paired", ({ paired }: ComparisonRow) => paired, T_TEST),
  ...columnsOf("wilcoxon", ({ wilcoxon }: ComparisonRow) => wilcoxon, {
    n: ({ n }) => n,
    w: ({ w }) => w,
    method: ({ method }) => method,
    p: ({ p }) => p,
    p_holm: ({ pHolm }) => pHolm,
    reason: ({ reason }) => reason,
  }),
  ...columnsOf("hedges", ({ hedges }: ComparisonRow) => hedges, {
    g: ({ g }) => g,
    ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
    ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
    reason: ({ reason }) => reason,
  }),
};

/** Adds `GET /compare`. */
export function compareRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(route, async (context) => {
    const { format, metrics, epoch, ...query } = context.req.valid("query");
    const { compare } = await import("../database/compare.ts");
    const rows = await compare(database, { ...query, metrics: parseMetrics(metrics), epoch: parseEpoch(epoch) });
    if (format === "csv") return csvTable(context, COLUMNS, rows);
    return context.json({ a: query.a, b: query.b, rows }, 200);
  });
}
