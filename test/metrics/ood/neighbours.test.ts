import { describe, expect, it } from "vitest";
import { type Matrix, unitRows, zeros } from "../../../src/metrics/matrix.ts";
import { distancesToNeighbour } from "../../../src/metrics/ood/neighbours.ts";
import { gaussians } from "../gaussians.ts";

const K = 50;

interface Situation {
  readonly title: string;
  readonly count: number;
  readonly dimensions: number;
  readonly classes: number;
  /** How far features are from the direction of their class. */
  readonly spread: number;
  /** Of every tenth feature the label is wrong. */
  readonly mislabelled?: boolean;
  /** So many copies of every feature. */
  readonly copies?: number;
}

const SITUATIONS: readonly Situation[] = [
  { title: "spread features", count: 700, dimensions: 40, classes: 4, spread: 1 },
  { title: "several blocks of training features", count: 9_000, dimensions: 10, classes: 4, spread: 0.5 },
  { title: "collapsed features", count: 900, dimensions: 64, classes: 3, spread: 1e-3 },
  { title: "features collapsed beyond float32", count: 900, dimensions: 64, classes: 3, spread: 1e-9 },
  { title: "wrong labels", count: 900, dimensions: 64, classes: 3, spread: 1e-3, mislabelled: true },
  { title: "every feature sixty times", count: 900, dimensions: 16, classes: 3, spread: 0.5, copies: 60 },
  { title: "exactly as many features as neighbours", count: 50, dimensions: 7, classes: 2, spread: 0.5 },
];

describe("the distance to the 50th neighbour", () => {
  it.each(SITUATIONS)("is that of all distances in float64, to the last digits: $title", async (situation) => {
    const { units, labels, centres } = trainingFeatures(situation);
    const scored = queries(units, centres);
    const blocks = async function* (size: number) {
      for (let start = 0; start < units.rows; start += size) yield { start, units: rows(units, start, start + size) };
    };
    const distances = await distancesToNeighbour(scored, { blocks, labels, centres }, K);
    for (let i = 0; i < scored.rows; i++) {
      const expected = sortedDistances(scored, i, units)[K - 1]!;
      expect(Math.abs(distances[i]! - expected), `of ${i}`).toBeLessThanOrEqual(4 * Number.EPSILON * expected);
    }
  });
});

function trainingFeatures({ count, dimensions, classes, spread, mislabelled, copies = 1 }: Situation) {
  const normal = gaussians(count + dimensions);
  const centres = unitRows(filled(classes, dimensions, () => normal()));
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const features = filled(count, dimensions, (i, d) => {
    const noise = spread * normal();
    const twin = i - (i % (copies * classes)) + (i % classes);
    if (twin < i) return Number.NaN; // filled from its twin below
    return centres.values[(i % classes) * dimensions + d]! + noise / Math.sqrt(dimensions);
  });
  for (let i = 0; i < count; i++) {
    const twin = i - (i % (copies * classes)) + (i % classes);
    features.values.copyWithin(i * dimensions, twin * dimensions, (twin + 1) * dimensions);
  }
  if (mislabelled) for (let i = 0; i < count; i += 10) labels[i] = (labels[i]! + 1) % classes;
  return { units: unitRows(features), labels, centres };
}

/** Some of the training features themselves, one far from all, and the centres. */
function queries(units: Matrix, centres: Matrix): Matrix {
  const { columns } = units;
  const some = [...rows(units, 0, 20).values, ...centres.values, ...centres.values.subarray(0, columns).map((x) => -x)];
  return { rows: some.length / columns, columns, values: Float64Array.from(some) };
}

function sortedDistances(a: Matrix, i: number, b: Matrix): Float64Array {
  const squares = Float64Array.from({ length: b.rows }, (_, j) => {
    let sum = 0;
    for (let d = 0; d < a.columns; d++) sum += (a.values[i * a.columns + d]! - b.values[j * a.columns + d]!) ** 2;
    return Math.sqrt(sum);
  });
  return squares.sort();
}

function rows({ rows: count, columns, values }: Matrix, start: number, end: number): Matrix {
  const last = Math.min(end, count);
  return { rows: last - start, columns, values: values.slice(start * columns, last * columns) };
}

function filled(count: number, columns: number, value: (i: number, d: number) => number): Matrix {
  const matrix = zeros(count, columns);
  for (let k = 0; k < matrix.values.length; k++) matrix.values[k] = value(Math.floor(k / columns), k % columns);
  return matrix;
}
