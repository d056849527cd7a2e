/** How many of two kinds of samples have each distinct score, the highest score first. */
export interface Ranking {
  readonly scores: Float64Array;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** Returns the ranking of the scores of positives and of negatives, none of them NaN: two sorts and one walk. */
export function rank(positives: Float64Array, negatives: Float64Array): Ranking {
  const ofPositives = positives.toSorted();
  const ofNegatives = negatives.toSorted();
  const scores = new Float64Array(positives.length + negatives.length);
  const counts = { positives: new Float64Array(scores.length), negatives: new Float64Array(scores.length) };
  let length = 0;
  let p = positives.length - 1;
  let n = negatives.length - 1;
  for (; p >= 0 || n >= 0; length++) {
    const score = p < 0 || ofNegatives[n] > ofPositives[p] ? ofNegatives[n] : ofPositives[p];
    const [above, below] = [p, n];
    while (p >= 0 && ofPositives[p] === score) p--;
    while (n >= 0 && ofNegatives[n] === score) n--;
    scores[length] = score;
    counts.positives[length] = above - p;
    counts.negatives[length] = below - n;
  }
  return {
    scores: scores.subarray(0, length),
    positives: counts.positives.subarray(0, length),
    negatives: counts.negatives.subarray(0, length),
  };
}

/** Returns the ranking with the kinds changed over: the negatives are positive, and the lowest score is the first. */
export function reversed({ scores, positives, negatives }: Ranking): Ranking {
  return {
    scores: scores.toReversed().map((score) => -score),
    positives: negatives.toReversed(),
    negatives: positives.toReversed(),
  };
}

/** Returns the sum of counts. */
export function total(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
