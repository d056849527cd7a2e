import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  EXPERIMENT_ORDERS,
  type Experiment,
  getExperiment,
  labelKeys,
  listExperiments,
} from "../database/experiments.ts";
import {
  type ExperimentList,
  type ExperimentResource,
  experimentListSchema,
  experimentSchema,
  type Trajectories,
  trajectoriesSchema,
} from "./experimentSchemas.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import { parseMetrics, selectionQuery } from "./selection.ts";
import type { Service } from "./service.ts";

/** Experiments of a page. */
const DEFAULT_PAGE = 25;
const MAX_PAGE = 100;

const folding = {
  by: selectionQuery.by,
  metric: z.string().default("nc1").openapi({ description: "summed up over the seeds of each group" }),
};

const params = z.object({ experiment: z.string() });

export const list = createRoute({
  method: "get",
  path: "/experiments",
  summary: "Experiments with their groups, seeds folded",
  request: {
    query: z.object({
      q: z.string().optional().openapi({ description: "a part of the name, or of an id, a group or a label of a run" }),
      sort: z.enum(EXPERIMENT_ORDERS).default("-updated").openapi({ description: "-: descending" }),
      ...folding,
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: { 200: jsonAnswer(experimentListSchema, "a page of experiments"), 400: problemAnswer },
});

export const get = createRoute({
  method: "get",
  path: "/experiments/{experiment}",
  summary: "One experiment with its groups, and what was measured",
  request: { params, query: z.object(folding) },
  responses: { 200: jsonAnswer(experimentSchema, "the experiment"), 404: problemAnswer },
});

export const overEpochs = createRoute({
  method: "get",
  path: "/experiments/{experiment}/trajectories",
  summary: "Metrics over the epochs, per group over its seeds",
  request: {
    params,
    query: z.object({
      metrics: z.string().default("nc1").openapi({ description: "names, comma-separated" }),
      by: selectionQuery.by,
      dataset: selectionQuery.dataset,
      seeds: z.enum(["", "true", "false"]).default("false").openapi({ description: "also the values of each run" }),
    }),
  },
  responses: {
    200: jsonAnswer(trajectoriesSchema, "a row per group, metric, dataset and protocol"),
    400: problemAnswer,
    404: problemAnswer,
  },
});

/** Adds `GET /experiments`, `/experiments/:experiment` and `/experiments/:experiment/trajectories`. */
export function experimentRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(list, async (context) => {
    const query = context.req.valid("query");
    const { by, metric } = query;
    const [{ items, next }, labels] = await Promise.all([listExperiments(database, query), labelKeys(database)]);
    return context.json({ metric, by, labels, items: items.map(toResource), next } as ExperimentList, 200);
  });
  app.openapi(get, async (context) => {
    const { experiment } = context.req.valid("param");
    const { by, metric } = context.req.valid("query");
    const { recordedPlaces } = await import("../database/groupValues.ts");
    const found = await getExperiment(database, experiment, { by, metric });
    const [labels, places] = await Promise.all([labelKeys(database, experiment), recordedPlaces(database, experiment)]);
    return context.json({ metric, by, labels, ...toResource(found), places } as ExperimentResource, 200);
  });
  app.openapi(overEpochs, async (context) => {
    const { experiment } = context.req.valid("param");
    const { by, dataset, metrics, seeds } = context.req.valid("query");
    const { trajectories } = await import("../database/trajectories.ts");
    const found = await trajectories(database, { experiment, by, dataset, metrics: parseMetrics(metrics) });
    const rows = seeds === "false" ? found.map(({ seeds: _, ...row }) => row) : found;
    return context.json({ experiment, by, rows } as Trajectories, 200);
  });
}

function toResource({ updatedAt, ...experiment }: Experiment) {
  return { ...experiment, updatedAt: updatedAt.toISOString() };
}
