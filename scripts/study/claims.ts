import { formatNumber } from "../../src/commands/table.ts";
import { GROUPS, OOD } from "./plan.ts";
import { correlate, type PairedComparison, type StudyValues } from "./statistics.ts";
import { formatP, formatR, markdownTable } from "./text.ts";

/** What a test has to say to a claim, at the level of 5 %. */
type Verdict = "agrees" | "disagrees" | "undecided";

const LEVEL = 0.05;

/** A claim of arXiv 2209.08378: that a metric of group a is lower, or higher, than that of b. */
interface Claim {
  readonly text: string;
  readonly expected: "lower" | "higher";
  readonly pairs: readonly (readonly [a: string, b: string])[];
  readonly metrics: readonly string[];
}

/** NC1 to NC4. */
export const COLLAPSE = [
  ...["nc1", "nc2_equinorm_means", "nc2_equinorm_classifiers"],
  ...["nc2_equiangular_means", "nc2_equiangular_classifiers", "nc3", "nc4_error", "nc4_mismatch"],
];

/** The scores of the claim about detection. */
const CLAIMED_SCORES = ["softmax_entropy", "energy", "gmm"];

/** Pairs of groups that differ in the loss. */
export const LOSSES = [
  ["nc", "ce"],
  ["nc+l2", "ce+l2"],
] as const;
const NORMALISED = [
  ["ce+l2", "ce"],
  ["nc+l2", "nc"],
] as const;

/** The pairs of groups that are compared: each loss with the other, and each with and without L2 normalisation. */
export const PAIRS = [...LOSSES, ...NORMALISED];

const CLAIMS: readonly Claim[] = [
  {
    text: "The NC loss drives NC1 to NC4 lower than cross-entropy does.",
    ...{ expected: "lower", pairs: LOSSES, metrics: COLLAPSE },
  },
  {
    text: "L2 normalisation of the features makes networks collapse further in the same time.",
    ...{ expected: "lower", pairs: NORMALISED, metrics: COLLAPSE },
  },
  {
    text: "L2 normalisation of the features improves OoD detection by entropy, energy and GMM.",
    ...{ expected: "higher", pairs: NORMALISED, metrics: CLAIMED_SCORES.map((score) => `auroc:${OOD}:${score}`) },
  },
];

/**
 * Returns what of the paper's claims holds here, as Markdown: each verdict follows from the sign and the p-value of a
 * comparison after the last epoch, or from the interval of a correlation.
 */
export function formatClaims(study: StudyValues, epoch: number, comparisons: readonly PairedComparison[]): string {
  const sections = CLAIMS.map((claim) => formatClaim(claim, comparisons));
  return [...sections, formatCorrelationClaim(study, epoch)].join("\n\n");
}

function formatClaim({ text, expected, pairs, metrics }: Claim, comparisons: readonly PairedComparison[]): string {
  const sections = pairs.map(([a, b]) => {
    const tests = comparisons.filter((test) => test.a === a && test.b === b && metrics.includes(test.metric));
    return { a, b, tests: tests.map((test) => ({ ...test, verdict: verdictOf(test, expected) })) };
  });
  const rows = sections.flatMap(({ a, b, tests }) =>
    tests.map(({ metric, difference, p, verdict }) => [
      `\`${metric}\``,
      `${a} − ${b}`,
      ...[formatNumber(difference), formatP(p), verdict],
    ]),
  );
  const lines = sections.map(({ a, b, tests }) => `- ${a} against ${b}: ${countVerdicts(tests)}`);
  const table = markdownTable(["metric", "pair", "difference", "p", "verdict"], rows);
  return `### ${text}\n\n${lines.join("\n")}\n\n${table}`;
}

function formatCorrelationClaim(study: StudyValues, epoch: number): string {
  const over = [
    { name: "all runs", groups: GROUPS as readonly string[] },
    ...GROUPS.map((name) => ({ name, groups: [name] })),
  ];
  const checks = CLAIMED_SCORES.flatMap((score) =>
    over.map(({ name, groups }) => {
      const { pearson } = correlate(study, groups, epoch, ["nc1", `auroc:${OOD}:${score}`]);
      const { ci95 } = pearson;
      const verdict: Verdict =
        ci95 === null || (ci95[0] <= 0 && ci95[1] >= 0) ? "undecided" : ci95[1] < 0 ? "agrees" : "disagrees";
      return { score, name, pearson, verdict };
    }),
  );
  const rows = checks.map(({ score, name, pearson, verdict }) => [`\`${score}\``, name, formatR(pearson), verdict]);
  return [
    "### The lower NC1, the better is OoD detection.",
    `- Pearson's r of NC1 and AUROC below 0 over runs: ${countVerdicts(checks)}`,
    markdownTable(["score", "over", "r [95 % interval]", "verdict"], rows),
  ].join("\n\n");
}

function verdictOf({ difference, p }: PairedComparison, expected: Claim["expected"]): Verdict {
  if (difference === null || p === null || p >= LEVEL) return "undecided";
  return difference < 0 === (expected === "lower") ? "agrees" : "disagrees";
}

function countVerdicts(checks: readonly { readonly verdict: Verdict }[]): string {
  const count = (verdict: Verdict) => checks.filter((check) => check.verdict === verdict).length;
  const told = `${count("agrees")} of ${checks.length} agree, ${count("disagrees")} disagree, ${count("undecided")} undecided.`;
  return told;
}
