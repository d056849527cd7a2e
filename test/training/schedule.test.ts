import { describe, expect, it } from "vitest";
import { learningRateAt } from "../../src/training/schedule.ts";

describe("the learning rate", () => {
  const recipe = { learningRate: 0.1, milestones: [150, 250] };

  it("falls to a tenth in the epoch after each milestone", () => {
    expect(learningRateAt(1, recipe)).toBe(0.1);
    expect(learningRateAt(150, recipe)).toBe(0.1);
    expect(learningRateAt(151, recipe)).toBeCloseTo(0.01, 15);
    expect(learningRateAt(250, recipe)).toBeCloseTo(0.01, 15);
    expect(learningRateAt(251, recipe)).toBeCloseTo(0.001, 15);
  });

  it("stays where there are no milestones", () => {
    expect(learningRateAt(1000, { learningRate: 0.3, milestones: [] })).toBe(0.3);
  });
});
