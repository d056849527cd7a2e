import { useCallback } from "preact/hooks";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { Chart } from "../charts/chart.tsx";
import { drawReliability } from "../charts/reliability.ts";
import { formatNumber } from "../format.ts";

type Reports = NonNullable<EvaluationDetails["calibration"]>;

const TITLES: Readonly<Record<string, string>> = {
  before: "before temperature scaling",
  after_nll_optimum: "after it, at the least NLL",
  after_ddu_grid: "after it, on DDU's grid",
};

/** Whether the network is as sure as it is right, before and after its temperature is fitted. */
export function Calibration({ id, reports }: { readonly id: string; readonly reports: Reports }) {
  return (
    <section aria-labelledby="calibration">
      <h2 id="calibration">Calibration</h2>
      <p class="note">
        Accuracy over confidence in 15 bins of equal width. The diagonal is a network that is as right as it is sure;
        the bars show how far it is from that.
      </p>
      <div class="charts three">
        {Object.entries(reports).map(([when, report]) => (
          <Reliability key={when} id={id} when={when} report={report} />
        ))}
      </div>
    </section>
  );
}

interface ReliabilityProps {
  readonly id: string;
  readonly when: string;
  readonly report: Reports[string];
}

function Reliability({ id, when, report: { bins, temperature } }: ReliabilityProps) {
  const draw = useCallback((width: number) => drawReliability(bins, width), [bins]);
  const title = `Reliability ${TITLES[when] ?? when}`;
  return (
    <Chart
      title={title}
      description={`${title}: accuracy over confidence`}
      fileName={`${id}-reliability-${when}`}
      draw={draw}
      note={`T = ${formatNumber(temperature)}, ${bins.reduce((sum, { count }) => sum + count, 0)} samples`}
    />
  );
}
