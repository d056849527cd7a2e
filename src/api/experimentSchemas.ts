import { z } from "@hono/zod-openapi";
import { epochs, summary, time } from "./contract.ts";

const name = z.string().nullable().openapi({ description: "null for the runs that do not say" });

const experiment = {
  experiment: name,
  runs: z.int(),
  seeds: z.int().openapi({ description: "distinct ones" }),
  updatedAt: time.openapi({ description: "when something was last recorded of one of its runs" }),
  groups: z.array(
    z.object({
      group: name,
      runs: z.int(),
      seeds: z.int(),
      values: z
        .array(z.object({ dataset: z.string(), protocol: z.string(), epochs, ...summary }))
        .openapi({ description: "the metric after each run's own last epoch, a row per dataset and protocol" }),
    }),
  ),
};

const labels = z.array(z.string()).openapi({ description: "keys of the labels that runs have" });
const folding = { metric: z.string(), by: z.string(), labels };

export const experimentListSchema = z
  .object({
    ...folding,
    items: z.array(z.object(experiment)),
    next: z.string().nullable().openapi({ description: "cursor of the next page" }),
  })
  .openapi("Experiments");

export const experimentSchema = z
  .object({
    ...folding,
    ...experiment,
    places: z
      .array(z.object({ dataset: z.string(), protocol: z.string(), runs: z.int(), metrics: z.array(z.string()) }))
      .openapi({ description: "what the runs have after their last epochs" }),
  })
  .openapi("Experiment");

const column = z.array(z.number().nullable());

export const trajectoriesSchema = z
  .object({
    experiment: z.string(),
    by: z.string(),
    rows: z.array(
      z.object({
        group: name,
        metric: z.string(),
        dataset: z.string(),
        protocol: z.string(),
        epochs,
        n: z.array(z.int()).openapi({ description: "at each epoch, as all that follows" }),
        mean: z.array(z.number()),
        low: column.openapi({ description: "95 % Student-t interval of the mean; null where n = 1" }),
        high: column,
        seeds: z
          .array(z.object({ run: z.string(), seed: z.int().nullable(), values: column }))
          .optional()
          .openapi({ description: "with seeds=true" }),
      }),
    ),
  })
  .openapi("Trajectories");

export type ExperimentList = z.infer<typeof experimentListSchema>;
export type ExperimentResource = z.infer<typeof experimentSchema>;
export type Trajectories = z.infer<typeof trajectoriesSchema>;
