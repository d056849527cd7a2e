import { useCallback } from "preact/hooks";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { Chart } from "../charts/chart.tsx";
import { groupStyle } from "../charts/colours.ts";
import { drawPrecisionRecall, drawRoc, type NamedCurves } from "../charts/curves.ts";
import { drawHistogram } from "../charts/histogram.ts";
import { formatNumber } from "../format.ts";
import { Choice } from "../parts/choice.tsx";
import { useQuery } from "../query.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";

type Sets = NonNullable<EvaluationDetails["ood"]>;

const MEASURES = ["auroc", "aupr_ood", "aupr_id", "fpr95", "fpr95_id_positive"] as const;
const HEADINGS = {
  auroc: "AUROC ↑",
  aupr_ood: "AP, OoD ↑",
  aupr_id: "AP, in ↑",
  fpr95: "FPR95 ↓",
  fpr95_id_positive: "FPR95, in ↓",
};

interface DetectionProps {
  readonly id: string;
  readonly sets: Sets;
  readonly values: Readonly<Record<string, number>>;
}

/** How well each score tells one OoD set from the test set: measures, ROC, precision and recall, and how the scores lie. */
export function Detection({ id, sets, values }: DetectionProps) {
  const [query, change] = useQuery();
  const names = Object.keys(sets);
  const set = query.set !== undefined && names.includes(query.set) ? query.set : names[0]!;
  const scores = Object.keys(sets[set]!);
  const score =
    query.score !== undefined && scores.includes(query.score)
      ? query.score
      : scores.includes("gmm")
        ? "gmm"
        : scores[0]!;
  return (
    <section aria-labelledby="detection">
      <div class="section-head">
        <h2 id="detection">Out of distribution</h2>
        <Choice label="OoD set" value={set} options={names} onChange={(value) => change({ set: value })} />
        <Choice label="Score" value={score} options={scores} onChange={(value) => change({ score: value })} />
      </div>
      <Pictures id={id} set={set} score={score} curves={sets[set]!} />
      <DataTable
        caption={`Scores against ${set}`}
        fileName={`${id}-${set}`}
        columns={columnsOf(set, values)}
        rows={scores}
        keyOf={(name) => name}
      />
    </section>
  );
}

interface PicturesProps {
  readonly id: string;
  readonly set: string;
  readonly score: string;
  readonly curves: Sets[string];
}

function Pictures({ id, set, score, curves }: PicturesProps) {
  const { histogram } = curves[score]!;
  const drawnRoc = useCallback((width: number) => drawRoc(named(curves), score, width), [curves, score]);
  const drawnPr = useCallback((width: number) => drawPrecisionRecall(named(curves), score, width), [curves, score]);
  const drawnHistogram = useCallback((width: number) => drawHistogram(histogram!, set, width), [histogram, set]);
  return (
    <div class="charts three">
      <Chart
        title={`ROC, ${set}`}
        description={`ROC curves of every score against ${set}, ${score} in colour`}
        fileName={`${id}-${set}-roc`}
        draw={drawnRoc}
      />
      <Chart
        title={`Precision and recall, ${set}`}
        description={`Precision over recall of every score, ${set} positive, ${score} in colour`}
        fileName={`${id}-${set}-precision-recall`}
        draw={drawnPr}
      />
      {histogram ? (
        <Chart
          title={`${score} in and out`}
          description={`How the score ${score} is distributed over the test set and over ${set}`}
          fileName={`${id}-${set}-${score}`}
          draw={drawnHistogram}
          note="Share of the samples of each set; the outermost bins hold what lies beyond."
        />
      ) : (
        <p class="note">This evaluation is older than histograms of scores: submit it with force to have them.</p>
      )}
    </div>
  );
}

function named(curves: Sets[string]): NamedCurves[] {
  return Object.entries(curves).map(([name, curve], i) => ({ name, ...curve, style: groupStyle(i) }));
}

function columnsOf(set: string, values: Readonly<Record<string, number>>): Column<string>[] {
  return [
    { heading: "Score", value: (score) => score },
    ...MEASURES.map(
      (measure): Column<string> => ({
        heading: HEADINGS[measure],
        value: (score) => values[`${measure}:${set}:${score}`] ?? null,
        text: (score) => formatNumber(values[`${measure}:${set}:${score}`]),
      }),
    ),
  ];
}
