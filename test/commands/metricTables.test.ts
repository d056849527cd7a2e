import { expect, it } from "vitest";
import { formatMetrics } from "../../src/commands/metricTables.ts";

it("shows metrics by what they tell of, a row per score of each set, and each reason once", () => {
  const values = {
    nc1: 0.0016,
    nc1_cdnv: 12.33,
    "auroc:digits:test:energy": 0.9,
    "fpr95:digits:test:energy": 0.25,
    "auroc:digits:test:gmm": 0.95,
    "jitter:gmm": 1e-6,
    nll: 2.3,
    "nll:after_ddu_grid": 1.5,
    accuracy: 0.97,
  };
  const reason = "a covariance cannot be factored";
  const omitted = { "auroc:svhn:gmm": reason, "fpr95:svhn:gmm": reason, "auroc:svhn:mahalanobis": reason };
  const text = formatMetrics({ values, omitted });
  const titles = ["Collapse", "Structure", "Out of distribution: digits:test", "Calibration", "Accuracy", "Left out"];
  expect(text.split("\n\n").map((section) => section.split("\n")[0])).toEqual(titles);
  expect(text).toMatch(/^energy +0\.9 +– +– +0\.25 /m);
  expect(text).toMatch(/^gmm +0\.95 .*1\.00e-6$/m);
  expect(text).toMatch(/^nll +2\.3 +1\.5$/m);
  expect(text.endsWith(`gmm against svhn, mahalanobis against svhn: ${reason}`)).toBe(true);
});
