import { describe, expect, it } from "vitest";
import { learningRateAt } from "../../src/training/schedule.ts";

const rates = { learningRate: 0.1, schedule: "step", milestones: [150, 250], warmupEpochs: 0, epochs: 350 } as const;

describe("the learning rate", () => {
  const at = (epoch: number, change: Partial<Parameters<typeof learningRateAt>[1]> = {}) =>
    learningRateAt(epoch, { ...rates, milestones: [...rates.milestones], ...change });

  it("falls to a tenth in the epoch after each milestone", () => {
    expect(at(1)).toBe(0.1);
    expect(at(150)).toBe(0.1);
    expect(at(151)).toBeCloseTo(0.01, 15);
    expect(at(250)).toBeCloseTo(0.01, 15);
    expect(at(251)).toBeCloseTo(0.001, 15);
  });

  it("stays where there are no milestones", () => {
    expect(at(1000, { learningRate: 0.3, milestones: [] })).toBe(0.3);
  });

  it("falls along half a cosine as PyTorch's CosineAnnealingLR(T_max=10) does", () => {
    const expected = [
      0.1, 0.09755282581475769, 0.09045084971874738, 0.07938926261462366, 0.06545084971874737, 0.05,
      0.034549150281252633, 0.02061073738537635, 0.009549150281252633, 0.0024471741852423235,
    ];
    const actual = expected.map((_, i) => at(i + 1, { schedule: "cosine", epochs: 10 }));
    for (const [i, rate] of expected.entries()) expect(actual[i]).toBeCloseTo(rate, 14);
  });

  it("rises in even steps over the warm-up, and the schedule begins after it", () => {
    const warm = { warmupEpochs: 4, epochs: 14 } as const;
    expect([1, 2, 3, 4, 5].map((epoch) => at(epoch, warm))).toEqual([0.02, 0.04, (0.1 * 3) / 5, 0.08, 0.1]);
    expect(at(5, { ...warm, schedule: "cosine" })).toBe(0.1);
    expect(at(10, { ...warm, schedule: "cosine" })).toBeCloseTo(0.05, 15);
    expect(at(6, { ...warm, milestones: [5] })).toBeCloseTo(0.01, 15);
  });
});
