/**
 * The demo: a service with its embedded database, two groups of three networks trained on real digits, every epoch's
 * checkpoint evaluated over HTTP, and what that says. A second run trains nothing and evaluates nothing again.
 */
import { parseArgs } from "node:util";
import { serve } from "../src/api/serve.ts";
import { formatGroups } from "../src/commands/groupTable.ts";
import { plotLogarithmic } from "../src/commands/plot.ts";
import { readConfig } from "../src/config.ts";
import { asCollapsarError } from "../src/errors.ts";
import { trainBatch } from "../src/training/batch.ts";
import { batchProgress } from "../src/training/progress.ts";
import { gridOf } from "../src/training/recipe.ts";

const SHOWN = [
  "nc1",
  "nc2_equinorm_means",
  "nc2_equiangular_means",
  "nc2_equinorm_classifiers",
  "nc2_equiangular_classifiers",
  "nc3",
  "nc4_error",
  "nc4_mismatch",
  "accuracy",
  "ncc_accuracy",
];
