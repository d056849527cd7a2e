import { z } from "@hono/zod-openapi";

const numbers = z.array(z.number());
const count = z.int();

const bins = z
  .array(
    z.object({
      lower: z.number(),
      upper: z.number(),
      count,
      confidence: z.number().nullable(),
      accuracy: z.number().nullable(),
    }),
  )
  .openapi({ description: "mean confidence and accuracy of the samples of each bin; null where there is none" });

const calibrationSchema = z.object({
  temperature: z.number(),
  bins: bins.openapi({ description: "15 of equal width" }),
  adaptive_bins: bins.openapi({ description: "15 of equal count" }),
});

const collapseSchema = z.object({
  classes: count,
  samples: numbers.openapi({ description: "per class" }),
  within_class_variance: numbers.openapi({ description: "per class" }),
  between_class_square: numbers.openapi({ description: "per class: square of the distance from the global mean" }),
  cosines_means: numbers
    .nullable()
    .openapi({ description: "of the class means less the global mean, C×C by rows; the simplex ETF has −1/(C−1)" }),
  cosines_classifiers: numbers.nullable().openapi({ description: "of the rows of the weight, C×C by rows" }),
});

const precisionRecall = z.object({ recall: numbers, precision: numbers });

const curvesSchema = z.object({
  roc: z.object({ fpr: numbers, tpr: numbers }).openapi({ description: "OoD positive, at most 200 points" }),
  pr_ood: precisionRecall.openapi({ description: "OoD positive" }),
  pr_id: precisionRecall.openapi({ description: "in-distribution positive" }),
  histogram: z
    .object({
      lower: z.number(),
      upper: z.number(),
      id: z.array(count),
      ood: z.array(count),
    })
    .optional()
    .openapi({
      description: "samples per bin of equal width from lower to upper; the outermost hold what lies beyond, too",
    }),
});

/** What of an evaluation is no single number. */
export const detailsSchema = z
  .object({
    collapse: collapseSchema.optional(),
    calibration: z
      .record(z.string(), calibrationSchema)
      .optional()
      .openapi({ description: "before temperature scaling, and after each way of it" }),
    ood: z
      .record(z.string(), z.record(z.string(), curvesSchema))
      .optional()
      .openapi({ description: "by OoD set and score; higher scores are more out-of-distribution" }),
    ood_estimators: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi("EvaluationDetails");

export type EvaluationDetails = z.infer<typeof detailsSchema>;
