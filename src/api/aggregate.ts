import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { AggregateRow } from "../database/aggregate.ts";
import { aggregateSchema } from "./contract.ts";
import { type Columns, csvTable } from "./csv.ts";
import {
  epochsParameter,
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
  path: "/aggregate",
  summary: "Metrics per group over its seeds",
  request: {
    query: z.object({
      ...selectionQuery,
      metrics: metricsParameter,
      epoch: epochsParameter,
    }),
  },
  responses: tableAnswers(aggregateSchema, "a row per group, metric, dataset and protocol"),
});

const COLUMNS: Columns<AggregateRow> = {
  group: ({ group }) => group,
  metric: ({ metric }) => metric,
  dataset: ({ dataset }) => dataset,
  protocol: ({ protocol }) => protocol,
  epochs: ({ epochs }) => epochs.join(" "),
  n: ({ n }) => n,
  mean: ({ mean }) => mean,
  sd: ({ sd }) => sd,
  se: ({ se }) => se,
  ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
  ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
  median: ({ median }) => median,
  min: ({ min }) => min,
  max: ({ max }) => max,
  seeds: ({ perSeed }) => perSeed.map(({ seed }) => seed).join(" "),
  values: ({ perSeed }) => perSeed.map(({ value }) => value).join(" "),
  missing: ({ missing }) => reasonsCell(missing),
};

/** Adds `GET /aggregate`. */
export function aggregateRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(route, async (context) => {
    const { format, metrics, epoch, ...query } = context.req.valid("query");
    const { aggregate } = await import("../database/aggregate.ts"); // statistics are of 400 files
    const rows = await aggregate(database, {
      ...query,
      metrics: parseMetrics(metrics),
      epoch: epoch === "all" ? epoch : parseEpoch(epoch),
    });
    return format === "csv" ? csvTable(context, COLUMNS, rows) : context.json({ rows }, 200);
  });
}
