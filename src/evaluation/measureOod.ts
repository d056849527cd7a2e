import { asCollapsarError } from "../errors.ts";
import { type DetectionCurves, detectionCurves } from "../metrics/ood/curves.ts";
import { type Detection, detection, rankScores } from "../metrics/ood/detection.ts";
import { momentsOf } from "../metrics/ood/moments.ts";
import { type Fitting, SCORES, type ScoreName } from "../metrics/ood/scores.ts";
import type { FeatureSet, LabelledSet } from "../metrics/rows.ts";

/** Features of an OoD set under the name that results give it. */
export interface OodSet {
  readonly name: string;
  /** The group whose mean it counts in, such as `near`. */
  readonly group: string | null;
  readonly set: FeatureSet;
}

/** What OoD detection came to: measures as `auroc:SET:SCORE`, per score its curves, and what could not be taken. */
export interface OodMeasures {
  readonly values: Readonly<Record<string, number>>;
  readonly omitted: Readonly<Record<string, string>>;
  readonly curves: Readonly<Record<string, Readonly<Record<string, DetectionCurves>>>>;
}

const MEASURES = ["auroc", "aupr_ood", "aupr_id", "fpr95", "fpr95_id_positive"] as const satisfies (keyof Detection)[];

/** Returns the name of a measure of a score on an OoD set. */
export function oodMetric(measure: string, set: string, score: string): string {
  return `${measure}:${set}:${score}`;
}

/**
 * Returns how well each score tells the OoD sets from the test set. A score that cannot be fitted or taken is left out with
 * its reason, for the sets it concerns; the others are kept.
 */
export async function measureOod(
  train: LabelledSet,
  test: FeatureSet,
  ood: readonly OodSet[],
  { classifier, jitter }: Omit<Fitting, "moments">,
): Promise<OodMeasures> {
  const values: Record<string, number> = {};
  const omitted: Record<string, string> = {};
  const curves: Record<string, Record<string, DetectionCurves>> = {};
  const leaveOut = (sets: readonly string[], score: ScoreName, error: unknown) => {
    const { message } = asCollapsarError(error);
    for (const set of sets) for (const measure of MEASURES) omitted[oodMetric(measure, set, score)] = message;
  };
  const names = ood.map(({ name }) => name);
  const moments = await momentsOf(train);
  for (const [score, fitScore] of Object.entries(SCORES) as [ScoreName, (typeof SCORES)[ScoreName]][]) {
    try {
      const scorer = await fitScore(train, { moments, classifier, jitter });
      if (scorer.jitter !== undefined) values[`jitter:${score}`] = scorer.jitter;
      const id = await scorer.score(test);
      for (const { name, set } of ood)
        try {
          const ranking = rankScores(score, { id, ood: await scorer.score(set) });
          for (const [measure, value] of Object.entries(detection(ranking)))
            values[oodMetric(measure, name, score)] = value;
          curves[name] = { ...curves[name], [score]: detectionCurves(ranking) };
        } catch (error) {
          leaveOut([name], score, error);
        }
    } catch (error) {
      leaveOut(names, score, error);
    }
  }
  return { values: { ...values, ...groupMeans(values, ood) }, omitted, curves };
}

/** Returns the mean of each measure over the sets of each group, as set `<group>-ood`, where all of them have it. */
function groupMeans(values: Readonly<Record<string, number>>, ood: readonly OodSet[]): Record<string, number> {
  const groups = Map.groupBy(
    ood.filter(({ group }) => group !== null),
    ({ group }) => group!,
  );
  const means: Record<string, number> = {};
  for (const [group, members] of groups)
    for (const score of Object.keys(SCORES))
      for (const measure of MEASURES) {
        const taken = members.map(({ name }) => values[oodMetric(measure, name, score)]);
        const known = taken.filter((value) => value !== undefined);
        if (known.length === members.length)
          means[oodMetric(measure, `${group}-ood`, score)] = known.reduce((a, b) => a + b) / known.length;
      }
  return means;
}
