import { expect, it } from "vitest";
import { inMetricOrder } from "../../src/commands/metricOrder.ts";

const rowsOf = (...metrics: string[]) => metrics.map((metric) => ({ metric }));
const ORDERED = rowsOf(
  ...["nc1", "nc2_equinorm_means", "nc3", "samples", "nc1_cdnv"],
  ...["auroc:mnist:energy", "auroc:mnist:gmm", "fpr95:mnist:gmm", "auroc:svhn:test:energy"],
  ...["nll", "nll:after_ddu_grid", "ece", "temperature:after_ddu_grid", "accuracy", "ncc_accuracy", "jitter:gmm"],
);

it("orders metrics by what they tell of, as evaluate prints them", () => {
  const alphabetical = ORDERED.toSorted((a, b) => (a.metric < b.metric ? -1 : 1));
  expect(inMetricOrder(alphabetical)).toEqual(ORDERED);
});

it("orders metrics as they were asked for, and leaves the rows of one metric in their order", () => {
  const rows = [
    { metric: "nc1", group: "a" },
    { metric: "nc3", group: "a" },
    { metric: "nc1", group: "b" },
  ];
  expect(inMetricOrder(rows, "nc3,nc1")).toEqual([rows[1], rows[0], rows[2]]);
});
