import { readFileSync } from "node:fs";
import { EigenvalueDecomposition, pseudoInverse, Matrix as SquareMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { argmaxRows, countDifferent } from "../../src/metrics/accuracy.ts";
import { forecasts } from "../../src/metrics/calibration/forecasts.ts";
import type { Collapse } from "../../src/metrics/collapse.ts";
import { product, productWithTransposed, rowProduct, toMatrix, transposed } from "../../src/metrics/matrix.ts";
import { detection, rankScores } from "../../src/metrics/ood/detection.ts";
import { logitScores } from "../../src/metrics/ood/logitScores.ts";
import { structure } from "../../src/metrics/structure/structure.ts";
import { mean, standardDeviation } from "../../src/statistics/moments.ts";
import { summary } from "../../src/statistics/summary.ts";
import { floats, golden } from "../golden.ts";
import { collapseOf } from "./cases.ts";
import { gaussians } from "./gaussians.ts";
import { collapseOfCase, EXPECTED, tensorsOf } from "./structure/expected.ts";

/*
 * Where published codes report another number under the same name. docs/metrics.md lists them and points here; what other
 * code found was written by fixtures/collapse/make.py and peers.py.
 */

/** Returns Σ_W and Σ_B (D×D) as they are defined. */
function covariances(name: string, { space, centred }: Collapse): { within: SquareMatrix; between: SquareMatrix } {
  const { features, labels } = tensorsOf(name);
  const { columns } = centred;
  const mean = (k: number) => space.means.values[labels[Math.floor(k / columns)]! * columns + (k % columns)]!;
  const residuals = toMatrix(
    Float64Array.from(features, (x, k) => x - mean(k)),
    columns,
  );
  const square = (rows: typeof centred) => {
    const { values } = product(transposed(rows), rows);
    return SquareMatrix.from1DArray(columns, columns, values).div(rows.rows);
  };
  return { within: square(residuals), between: square(centred) };
}

describe("NC1", () => {
  it("is the trace over C: the notebook of Papyan et al. does not divide by it, its figures do", async () => {
    const collapse = await collapseOfCase("metrics-near-collapsed");
    const { within, between } = covariances("metrics-near-collapsed", collapse);
    const trace = within.mmul(pseudoInverse(between, 1e-12)).trace();
    expect(trace / (10 * collapse.values.nc1)).toBeCloseTo(1, 9);
    expect(collapse.values.nc1).toBeCloseTo(0.00538, 5);
    expect(trace).toBeCloseTo(0.0538, 4);
  });

  it("is lost by an absolute tolerance of the pseudo-inverse: 4e13 for 0.005, and right at a thousandth of the scale", async () => {
    const name = "metrics-near-collapsed";
    const collapse = await collapseOfCase(name);
    const { within, between } = covariances(name, collapse);
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(between, { assumeSymmetric: true });
    /** NC1 of features `scale` times as large, every eigenvalue above 2.2e-16 inverted: ml-matrix before 6.15. */
    const absolute = (scale: number) => {
      const terms = realEigenvalues.map((value, k) => {
        const u = eigenvectorMatrix.getColumnVector(k);
        const along = u.transpose().mmul(within).mmul(u).get(0, 0);
        return value * scale ** 2 > Number.EPSILON ? along / value : 0;
      });
      return terms.reduce((sum, x) => sum + x, 0) / 10;
    };
    expect(absolute(1)).toBeGreaterThan(1e9);
    expect(absolute(2 ** -10) / collapse.values.nc1).toBeCloseTo(1, 9);

    const { weight, bias, features, ...rest } = tensorsOf(name);
    const small = await collapseOf({ ...rest, features: features.map((x) => x / 1024) }, weight, bias.length, 64);
    expect(small.values.nc1 / collapse.values.nc1).toBeCloseTo(1, 12);
  });

  it("loses digits in float32 sums under an offset: neural-collapse with its defaults", async () => {
    const name = "metrics-large-offset";
    const collapse = await collapseOfCase(name);
    const { values } = await structure(collapse);
    const { disagreements } = EXPECTED[name]!;
    expect(Math.abs(disagreements.nc1_float32! / collapse.values.nc1 - 1)).toBeGreaterThan(1e-4);
    expect(Math.abs(disagreements.nc1_cdnv_float32! / values.nc1_cdnv! - 1)).toBeGreaterThan(5e-5);
    expect(Math.abs(disagreements.nc2_etf_means_float32! / values.nc2_etf_means! - 1)).toBeGreaterThan(5e-4);
  });

  it("by CDNV has the digits of float32 in neural-collapse, also of float64 features: its grid over pairs is float32", async () => {
    const name = "metrics-near-collapsed";
    const { values } = await structure(await collapseOfCase(name));
    const difference = Math.abs(EXPECTED[name]!.disagreements.nc1_cdnv_float32_grid! / values.nc1_cdnv! - 1);
    expect(difference).toBeGreaterThan(1e-9);
    expect(difference).toBeLessThan(1e-6);
  });

  it("by CDNV is not defined for equal means, of which neural-collapse makes 4e30", async () => {
    const { omitted } = await structure(await collapseOfCase("coincident-means"));
    expect(EXPECTED["coincident-means"]!.disagreements.nc1_cdnv).toBeGreaterThan(1e30);
    expect(omitted.nc1_cdnv).toContain("equal");
  });
});

describe("the simplex ETF error of neural-collapse", () => {
  it("is not equiangularity: vectors at the angles of a simplex have an error where their lengths differ", async () => {
    const features = Float64Array.of(1, 0, 0, -0.5, Math.sqrt(0.75), 0, -1, -Math.sqrt(3), 0, 1, 0, 0);
    const labels = Int32Array.of(0, 1, 2, 0);
    const weight = features.slice(0, 9);
    const collapse = await collapseOf({ features, logits: new Float64Array(12), labels }, weight, 3, 3);
    const { values } = await structure(collapse);
    expect(collapse.values.nc2_equiangular_classifiers).toBeLessThan(1e-15);
    expect(values.nc2_etf_classifiers).toBeGreaterThan(0.5);
  });

  it("of both, its self-duality, is not NC3: it does not see what of W is orthogonal to all means", async () => {
    const means = Float64Array.of(2, -1, -1, 0, -1, 2, -1, 0, -1, -1, 2, 0);
    const weight = means.map((x, k) => (k % 4 === 3 ? 3 : x));
    const labels = Int32Array.of(0, 1, 2);
    const collapse = await collapseOf({ features: means, logits: new Float64Array(9), labels }, weight, 3, 4);
    const { values } = await structure(collapse);
    expect(values.nc3_etf).toBeLessThan(1e-15);
    expect(collapse.values.nc3).toBeGreaterThan(0.3);
  });
});

describe("UNC3", () => {
  it("is of cosines: the README of neural-collapse has it of products, which grow with features and weight", async () => {
    const name = "metrics-imbalanced";
    const collapse = await collapseOfCase(name);
    const { weight, centred } = collapse;
    const products = Array.from({ length: weight.rows }, (_, c) => rowProduct(weight, c, centred, c));
    expect(standardDeviation(products) ** 2 / EXPECTED[name]!.disagreements.unc3!).toBeCloseTo(1, 9);
    expect((await structure(collapse)).values.unc3! / EXPECTED[name]!.disagreements.unc3!).toBeLessThan(1e-4);
  });
});

describe("NC4", () => {
  it.each([
    ["metrics-imbalanced", 0.0153, 0.0136],
    ["metrics-not-collapsed", 0.1822, null],
    ["metrics-large-offset", 0.8333, null],
  ] as const)("asks the network with its bias, which neural-collapse leaves out: %s", async (name, without, own) => {
    const { features, weight, bias } = tensorsOf(name);
    const { values, scatter, centred } = await collapseOfCase(name);
    const { columns } = centred;
    const unbiased = productWithTransposed(toMatrix(features, columns), toMatrix(weight, columns));
    const mismatch = countDifferent(scatter.nearest, argmaxRows(unbiased.values, bias.length)) / values.samples;
    expect(EXPECTED[name]!.disagreements.nc4_mismatch).toBeCloseTo(without, 4);
    expect(mismatch).toBeCloseTo(without, 4);
    expect(values.nc4_mismatch).not.toBeCloseTo(without, 3);
    if (own !== null) expect(values.nc4_mismatch).toBeCloseTo(own, 4);
  });
});

describe("the spread over seeds", () => {
  const next = gaussians(15);
  const aurocs = Array.from({ length: 15 }, () => 0.9 + next() / 100);
  const squares = aurocs.reduce((sum, x) => sum + (x - mean(aurocs)) ** 2, 0);

  it("that DDU's evaluate.py writes as std, torch.std(x) / math.sqrt(n), is the standard error", () => {
    const written = Math.sqrt(squares / 14) / Math.sqrt(15);
    expect(summary(aurocs).se).toBeCloseTo(written, 15);
    expect(summary(aurocs).sd! / written).toBeCloseTo(Math.sqrt(15), 12);
  });

  it("of OpenOOD's np.std is without Bessel's correction: 18 % less over its three seeds", () => {
    const three = aurocs.slice(0, 3);
    const written = Math.sqrt(three.reduce((sum, x) => sum + (x - mean(three)) ** 2, 0) / 3);
    expect(written / summary(three).sd!).toBeCloseTo(Math.sqrt(2 / 3), 12);
  });
});

/** What the codes of DDU, OpenOOD and pytorch-ood report for a golden case: fixtures/collapse/peers.py. */
interface Peers {
  readonly ddu: { readonly aupr: { readonly softmax_entropy: number; readonly energy: number } };
  readonly openood: Readonly<Record<"auroc" | "aupr_id" | "aupr_ood" | "fpr95", number>>;
  readonly pytorch_ood: { readonly calibration_error: number };
}

const PEERS: Readonly<Record<string, Peers>> = JSON.parse(
  readFileSync(new URL("../fixtures/collapse/peers.json", import.meta.url), "utf8"),
);

describe.each(Object.keys(PEERS))("of the test set of %s", (name) => {
  const file = golden(name);
  const classes = floats(file, "bias").length;
  const peers = PEERS[name]!;

  function measured(score: "softmax_entropy" | "energy") {
    const [id, ood] = ["test_logits", "ood_logits"].map((part) => logitScores(floats(file, part), classes)[score]);
    return detection(rankScores(score, { id: id!, ood: ood! }));
  }

  it("DDU's AUPR has OoD positive for the entropy, but in-distribution for the energy", () => {
    expect(measured("softmax_entropy").aupr_ood).toBeCloseTo(peers.ddu.aupr.softmax_entropy, 12);
    expect(measured("energy").aupr_id).toBeCloseTo(peers.ddu.aupr.energy, 12);
    expect(Math.abs(measured("energy").aupr_ood - peers.ddu.aupr.energy)).toBeGreaterThan(4e-3);
  });

  it("OpenOOD's AUPR is the area by trapezoids, AUROC and FPR95 are the same", () => {
    const { auroc, aupr_ood, aupr_id, fpr95 } = measured("energy");
    expect(auroc).toBeCloseTo(peers.openood.auroc, 12);
    expect(fpr95).toBe(peers.openood.fpr95);
    expect(Math.abs(aupr_ood - peers.openood.aupr_ood)).toBeGreaterThan(4e-4);
    expect(Math.abs(aupr_id - peers.openood.aupr_id)).toBeGreaterThan(1e-3);
  });

  it("pytorch-ood's calibration error leaves out the bin of the most confident samples", () => {
    const labels = file.tensors.get("test_labels")!.data as Int32Array;
    const { confidences, hits } = forecasts({ logits: floats(file, "test_logits"), labels }, classes, 1);
    const order = [...confidences.keys()].sort((i, j) => confidences[i]! - confidences[j]!);
    /** The share that a bin of 50 samples, the k-th by confidence, has in the error. */
    const gap = (k: number) => {
      const bin = order.slice(50 * k, 50 * (k + 1));
      return Math.abs(bin.reduce((sum, i) => sum + confidences[i]! - hits[i]!, 0)) / labels.length;
    };
    const gaps = Array.from({ length: labels.length / 50 }, (_, k) => gap(k));
    const withoutLast = gaps.slice(0, -1).reduce((sum, x) => sum + x, 0);
    expect(withoutLast).toBeCloseTo(peers.pytorch_ood.calibration_error, 12);
    expect(gaps.at(-1)).toBeGreaterThan(0);
  });
});
