import { describe, expect, it } from "vitest";
import { type LabelledSet, rowsInMemory } from "../../../src/metrics/rows.ts";
import { fitAndScore, goldenSets, OOD_CASES, PEERS, relativeError, type Sets } from "./sets.ts";

/** Relative, to float64 output of other code. */
const TOLERANCE = 1e-9;

describe.each(OOD_CASES)("%s", (name) => {
  const peers = PEERS[name]!;

  it("knn is the root of OpenOOD's squared distance", async () => {
    const { id, ood } = await fitAndScore("knn", goldenSets(name));
    expect(relativeError(id, peers.knn!.scores[0])).toBeLessThan(TOLERANCE);
    expect(relativeError(ood, peers.knn!.scores[1])).toBeLessThan(TOLERANCE);
  });

  it("vim is OpenOOD's and pytorch-ood's", async () => {
    // they take the logits anew from features and classifier, ours are the stored ones, which are float32
    const { id, ood } = await fitAndScore("vim", await withFloat64Logits(goldenSets(name)));
    const { scores, pytorch_ood, exact } = peers.vim!;
    for (const [inDistribution, outOf] of exact ? [exact] : [scores, pytorch_ood!]) {
      expect(relativeError(id, inDistribution)).toBeLessThan(TOLERANCE);
      expect(relativeError(ood, outOf)).toBeLessThan(TOLERANCE);
    }
  });

  it("vim of the stored logits differs by their rounding alone", async () => {
    const [stored, anew] = [
      await fitAndScore("vim", goldenSets(name)),
      await fitAndScore("vim", await withFloat64Logits(goldenSets(name))),
    ];
    // relative to the scores' scale: one may be near 0
    const scale = Math.max(...anew.id.map(Math.abs));
    stored.id.forEach((value, i) => {
      expect(Math.abs(value - anew.id[i]!)).toBeLessThan(1e-5 * scale);
    });
  });

  it("neco is that of scikit-learn's PCA, unless C−1 components are all dimensions", async () => {
    const { train } = goldenSets(name);
    const scored = fitAndScore("neco", goldenSets(name));
    if (train.logits.columns > train.features.columns) {
      await expect(scored).rejects.toThrow("29 principal components are all of 16 dimensions");
      return;
    }
    const { id, ood } = await scored;
    expect(relativeError(id, peers.neco!.scores[0])).toBeLessThan(TOLERANCE);
    expect(relativeError(ood, peers.neco!.scores[1])).toBeLessThan(TOLERANCE);
  });
});

describe("the cases", () => {
  it("are all golden ones with an OoD part", () => {
    expect(Object.keys(PEERS)).toEqual(OOD_CASES);
    expect(OOD_CASES).toHaveLength(6);
  });

  it("have one in which float64 sums lose the subspace, so that OpenOOD is off by 1e-6 and ours is not", () => {
    const { scores, exact } = PEERS["metrics-large-offset"]!.vim!;
    expect(relativeError(scores[0], exact![0])).toBeGreaterThan(1e-6);
    expect(OOD_CASES.filter((name) => PEERS[name]!.vim!.exact)).toEqual(["metrics-large-offset"]);
  });
});

async function withFloat64Logits(sets: Sets): Promise<Sets> {
  const { weight, bias } = sets.classifier;
  const anew = async (set: LabelledSet): Promise<LabelledSet> => {
    const { columns } = set.features;
    const features = await set.features.read(0, set.count);
    const logits = Float64Array.from({ length: set.count * bias.length }, (_, k) => {
      const [i, c] = [Math.floor(k / bias.length), k % bias.length];
      let logit = bias[c]!;
      for (let d = 0; d < columns; d++) logit += weight[c * columns + d]! * features[i * columns + d]!;
      return logit;
    });
    return { ...set, logits: rowsInMemory(logits, bias.length) };
  };
  return { ...sets, train: await anew(sets.train), test: await anew(sets.test), ood: await anew(sets.ood) };
}
