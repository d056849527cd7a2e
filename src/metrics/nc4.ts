import { squaredDistances } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";

/**
 * Returns for each of n features (n×D) the class whose mean (C×D) is nearest, `argmin_c ‖h − μ_c‖₂`, the lowest class on
 * ties: the decision of NC4 (Haas et al., Eq. 9). Differences are squared as they are; `‖h‖² − 2 h·μ + ‖μ‖²` would lose
 * them under a large common offset.
 */
export function nearestClassMeans(features: Reals, means: Matrix): Int32Array {
  const { rows: classes, columns } = means;
  const nearest = new Int32Array(features.length / columns);
  const feature = new Float64Array(columns);
  const distances = new Float64Array(classes);
  for (let i = 0; i < nearest.length; i++) {
    for (let d = 0; d < columns; d++) feature[d] = features[i * columns + d];
    squaredDistances(means, feature, distances);
    let best = 0;
    for (let c = 1; c < classes; c++) if (distances[c] < distances[best]) best = c;
    nearest[i] = best;
  }
  return nearest;
}
