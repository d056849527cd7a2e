import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { aggregate } from "../database/aggregate.ts";
import { aggregateSchema } from "./contract.ts";
import { type Cell, csvResponse } from "./csv.ts";
import { problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

const list = (text: string | undefined) => text?.split(",").filter((name) => name !== "");

const route = createRoute({
  method: "get",
  path: "/aggregate",
  summary: "Metrics per group over its seeds",
  request: {
    query: z.object({
      experiment: z.string().optional(),
      by: z.string().default("group").openapi({ description: "group, experiment, seed or the key of a label" }),
      metrics: z.string().optional().openapi({ description: "names, comma-separated; default all" }),
      epoch: z
        .union([z.enum(["last", "all"]), z.coerce.number().int().min(0)])
        .default("last")
        .openapi({ description: "last: each run's own last epoch; all: a row per epoch" }),
      dataset: z.string().optional(),
      format: z.enum(["json", "csv"]).default("json"),
    }),
  },
  responses: {
    200: {
      description: "a row per group, metric, dataset and protocol",
      content: { "application/json": { schema: aggregateSchema }, "text/csv": { schema: z.string() } },
    },
    400: problemAnswer,
  },
});

const COLUMNS = ["group", "metric", "dataset", "protocol", "epochs", "n", "mean", "sd", "se"] as const;
const SPREAD = ["ci95_low", "ci95_high", "median", "min", "max", "seeds", "values"] as const;

/** Adds `GET /aggregate`. */
export function aggregateRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(route, async (context) => {
    const { format, metrics, ...query } = context.req.valid("query");
    const rows = await aggregate(database, { ...query, metrics: list(metrics) });
    if (format === "json") return context.json({ rows }, 200);
    const cells = rows.map((row): Cell[] => [
      ...[row.group, row.metric, row.dataset, row.protocol, row.epochs.join(" "), row.n, row.mean, row.sd, row.se],
      ...[row.ci95?.[0] ?? null, row.ci95?.[1] ?? null, row.median, row.min, row.max],
      ...[row.perSeed.map(({ seed }) => seed).join(" "), row.perSeed.map(({ value }) => value).join(" ")],
    ]);
    return csvResponse(context, [...COLUMNS, ...SPREAD], cells);
  });
}
