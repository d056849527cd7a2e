import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CorrelationPoint, CorrelationRow, CountedCoefficients } from "../database/correlations.ts";
import type { Correlation } from "../statistics/correlation.ts";
import { correlationsSchema } from "./contract.ts";
import { type Columns, columnsOf, csvTable } from "./csv.ts";
import { epochParameter, parseEpoch, requireMetric, selectionQuery, tableAnswers } from "./selection.ts";
import type { Service } from "./service.ts";

export const route = createRoute({
  method: "get",
  path: "/correlations",
  summary: "How two metrics go together over runs: Pearson and Spearman, overall and per group",
  request: {
    query: z.object({
      ...selectionQuery,
      x: z.string().openapi({ example: "nc1" }),
      y: z.string().openapi({ example: "auroc:mnist:gmm" }),
      epoch: epochParameter,
    }),
  },
  responses: tableAnswers(correlationsSchema, "a row per dataset and protocol"),
});

/** A row of the table: the correlation over all runs, or over those of a group. */
interface Line extends CountedCoefficients {
  readonly over: "all" | "group";
  readonly group: string | null;
  readonly dataset: string;
  readonly protocol: string;
  readonly points: readonly CorrelationPoint[];
}

const COEFFICIENT: Columns<Correlation> = {
  r: ({ r }) => r,
  p: ({ p }) => p,
  ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
  ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
  reason: ({ reason }) => reason,
};

const COLUMNS: Columns<Line> = {
  dataset: ({ dataset }) => dataset,
  protocol: ({ protocol }) => protocol,
  over: ({ over }) => over,
  group: ({ group }) => group,
  n: ({ n }) => n,
  ...columnsOf("pearson", ({ pearson }: Line) => pearson, COEFFICIENT),
  ...columnsOf("spearman", ({ spearman }: Line) => spearman, COEFFICIENT),
  runs: ({ points }) => points.map(({ run }) => run).join(" "),
  x: ({ points }) => points.map(({ x }) => x).join(" "),
  y: ({ points }) => points.map(({ y }) => y).join(" "),
};

/** Adds `GET /correlations`. */
export function correlationRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(route, async (context) => {
    const { format, epoch, ...query } = context.req.valid("query");
    for (const axis of ["x", "y"] as const) requireMetric(axis, query[axis]);
    const { correlate } = await import("../database/correlations.ts");
    const rows = await correlate(database, { ...query, epoch: parseEpoch(epoch) });
    if (format === "csv") return csvTable(context, COLUMNS, rows.flatMap(toLines));
    return context.json({ x: query.x, y: query.y, rows }, 200);
  });
}

function toLines(row: CorrelationRow): Line[] {
  const { dataset, protocol, n, pearson, spearman, points } = row;
  const groups = row.groups.map((group) => ({
    ...{ over: "group" as const, dataset, protocol },
    ...group,
    points: points.filter((point) => point.group === group.group),
  }));
  return [{ over: "all", group: null, dataset, protocol, n, pearson, spearman, points }, ...groups];
}
