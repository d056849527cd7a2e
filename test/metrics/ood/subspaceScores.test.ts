import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { momentsOf } from "../../../src/metrics/ood/moments.ts";
import { SCORES, type ScoreName } from "../../../src/metrics/ood/scores.ts";
import { rowsInMemory } from "../../../src/metrics/rows.ts";
import { floats, golden } from "../../golden.ts";
import { goldenCase, rowsElsewhere, setOf } from "../cases.ts";

/** Made by test/fixtures/ood/make.py: of each case and score the first scores of the test and the OoD samples. */
const reference: Record<string, Record<string, [number[], number[]]>> = JSON.parse(
  readFileSync(new URL("../../fixtures/ood/scores.json", import.meta.url), "utf8"),
);

describe.each(Object.entries(reference))("%s", async (name, scores) => {
  const { train, test, weight, classes, dimensions } = goldenCase(name);
  const bias = floats(golden(name), "bias");
  const set = setOf(train, classes, dimensions);
  const fitting = { moments: await momentsOf(set), classifier: { weight, bias } };
  const ood = {
    features: floats(golden(name), "ood_features"),
    logits: floats(golden(name), "ood_logits"),
    labels: new Int32Array(floats(golden(name), "ood_features").length / dimensions),
  };

  it.each(Object.entries(scores))("has the %s of the definition (1e-9)", async (score, expected) => {
    const scorer = await SCORES[score as ScoreName](set, fitting);
    // about an offset of 1e4 neighbours are closer than float32 sees, and ViM's second moment about its origin has the square of
    // the offset beside variances near 1: of 16 digits 8 are left
    const offset = name === "metrics-large-offset";
    const tolerance = offset ? (score === "vim" ? 1e-6 : 1e-8) : 1e-9;
    for (const [i, samples] of [test!, ood].entries()) {
      const actual = await scorer.score(setOf(samples, classes, dimensions));
      expected[i]!.forEach((value, k) => {
        expect(Math.abs(actual[k]! - value), `sample ${k}`).toBeLessThanOrEqual(tolerance * Math.abs(value));
      });
    }
  });

  it("has the same scores where features and logits are not in memory", async () => {
    const elsewhere = {
      ...set,
      features: rowsElsewhere(train.features, dimensions),
      logits: rowsElsewhere(train.logits, classes),
    };
    for (const score of Object.keys(scores)) {
      const [here, there] = [set, elsewhere].map(async (samples) => {
        const scorer = await SCORES[score as ScoreName](samples, { ...fitting, moments: await momentsOf(samples) });
        return scorer.score({
          features: rowsInMemory(test!.features, dimensions),
          logits: rowsInMemory(test!.logits, classes),
          labels: null,
          count: test!.labels.length,
        });
      });
      expect(await there).toEqual(await here);
    }
  });
});
