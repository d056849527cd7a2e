import { describe, expect, it } from "vitest";
import { summary } from "../../src/statistics/summary.ts";

// numpy 's std(ddof=1), scipy 's stats.sem and stats.t.interval(0.95, n − 1, mean, se)
const REFERENCE = [
  {
    values: [0.1, 0.2],
    expected: { n: 2, mean: 0.15000000000000002, sd: 0.07071067811865477, se: 0.05, median: 0.15, min: 0.1, max: 0.2 },
    ci95: [-0.48531023680873475, 0.7853102368087348],
  },
  {
    values: [3, 1, 2],
    expected: { n: 3, mean: 2, sd: 1, se: 0.5773502691896258, median: 2, min: 1, max: 3 },
    ci95: [-0.48413771175033027, 4.48413771175033],
  },
  {
    values: [0.0931, 0.1284, 0.0877, 0.1012, 0.0959],
    expected: {
      ...{ n: 5, mean: 0.10125999999999999, sd: 0.015935589101128324, se: 0.0071266120983255405 },
      ...{ median: 0.0959, min: 0.0877, max: 0.1284 },
    },
    ci95: [0.08147335272296066, 0.12104664727703932],
  },
  {
    values: [1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 8], // a sum of squares would lose the spread
    expected: {
      ...{ n: 4, mean: 1000000003.75, sd: 3.095695936834452, se: 1.547847968417226 },
      ...{ median: 1000000003, min: 1e9 + 1, max: 1e9 + 8 },
    },
    ci95: [999999998.824057, 1000000008.675943],
  },
  {
    values: [5, 5, 5],
    expected: { n: 3, mean: 5, sd: 0, se: 0, median: 5, min: 5, max: 5 },
    ci95: [5, 5],
  },
  {
    values: Array.from({ length: 15 }, (_, i) => (i + 1) ** 2 / 7),
    expected: {
      ...{ n: 15, mean: 11.809523809523808, sd: 10.512059805791832, se: 2.714202170811209 },
      ...{ median: 9.142857142857142, min: 0.14285714285714285, max: 32.142857142857146 },
    },
    ci95: [5.988139125250322, 17.630908493797293],
  },
];

describe("the summary over seeds", () => {
  it.each(REFERENCE)("of $values agrees with scipy", ({ values, expected, ci95 }) => {
    const actual = summary(values);
    for (const [name, value] of Object.entries(expected)) {
      expectClose(actual[name as keyof typeof expected]!, value, name);
    }
    expectClose(actual.ci95![0], ci95[0]!, "low");
    expectClose(actual.ci95![1], ci95[1]!, "high");
  });

  it("of one value has no spread", () => {
    const one = { n: 1, mean: 0.3, sd: null, se: null, ci95: null, median: 0.3, min: 0.3, max: 0.3 };
    expect(summary([0.3])).toEqual(one);
  });

  it("leaves the values as they were", () => {
    const values = Object.freeze([3, 1, 2]);
    expect(summary(values).median).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });

  it("of nothing says that there is nothing", () => {
    const none = { n: 0, mean: null, sd: null, se: null, ci95: null, median: null, min: null, max: null };
    expect(summary([])).toEqual(none);
  });

  it("of equal values has exactly no spread", () => {
    expect(summary([0.1, 0.1, 0.1])).toMatchObject({ mean: 0.1, sd: 0, se: 0, ci95: [0.1, 0.1] });
  });
});

function expectClose(actual: number, expected: number, what: string): void {
  expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
}
