import { useCallback } from "preact/hooks";
import type { EvaluationDetails } from "../../api/detailsSchema.ts";
import { Chart } from "../charts/chart.tsx";
import { drawClassVariance, drawCosines } from "../charts/classes.ts";
import { formatNumber } from "../format.ts";

type Collapse = NonNullable<EvaluationDetails["collapse"]>;

/** The classes in feature space: the angles between them against those of the simplex, and how far each one spreads. */
export function ClassStructure({ id, collapse }: { readonly id: string; readonly collapse: Collapse }) {
  const { classes, cosines_means, cosines_classifiers } = collapse;
  const variance = useCallback((width: number) => drawClassVariance(collapse, width), [collapse]);
  return (
    <section aria-labelledby="classes">
      <h2 id="classes">Classes</h2>
      <p class="note">
        In a simplex equiangular tight frame every two of {classes} classes have the cosine −1/(C−1) ={" "}
        {formatNumber(-1 / (classes - 1))}: white.
      </p>
      <div class="charts three">
        {cosines_means && <Cosines id={id} of="class means" classes={classes} cosines={cosines_means} />}
        {cosines_classifiers && <Cosines id={id} of="classifiers" classes={classes} cosines={cosines_classifiers} />}
        <Chart
          title="Variance within each class"
          description="Variance within each class relative to the square of its distance from the global mean"
          fileName={`${id}-class-variance`}
          draw={variance}
          note="Over the square of the distance of its mean from the global mean; the line is their mean."
        />
      </div>
    </section>
  );
}

interface CosinesProps {
  readonly id: string;
  readonly of: string;
  readonly classes: number;
  readonly cosines: readonly number[];
}

function Cosines({ id, of, classes, cosines }: CosinesProps) {
  const draw = useCallback((width: number) => drawCosines(cosines, classes, width), [cosines, classes]);
  const farthest = Math.max(
    ...cosines.map((cosine, i) => (i % (classes + 1) === 0 ? 0 : Math.abs(cosine + 1 / (classes - 1)))),
  );
  return (
    <Chart
      title={`Cosines of ${of}`}
      description={`Cosines between ${classes} ${of} less that of the simplex; at most ${formatNumber(farthest)} away`}
      fileName={`${id}-cosines-${of.replace(" ", "-")}`}
      draw={draw}
      note={`At most ${formatNumber(farthest)} from the simplex; blue is below, orange above.`}
    />
  );
}
