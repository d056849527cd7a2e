import { isDeepStrictEqual } from "node:util";
import type { Recorded, Records } from "./records.ts";

const UNENDED_JOB = / (created|retry|active|blocked)$/;
const MOST_SHOWN = 5;

/**
 * Returns, a line each, what is not as it must be: each of the `accepted` evaluations is there, once, and has succeeded; none
 * but these is; no identity is recorded twice, no job is left; and all that was measured equals the `quiet` run bit by bit.
 */
export function problemsOf(records: Records, quiet: Records, accepted: readonly string[]): string[] {
  const { evaluations, jobs, leftShards } = records;
  const byId = new Map(evaluations.map((evaluation) => [evaluation.id, evaluation]));
  const expected = new Map(quiet.evaluations.map((evaluation) => [evaluation.place, evaluation]));
  const lost = accepted.filter((id) => !byId.has(id));
  const others = evaluations.filter(({ id }) => !accepted.includes(id));
  const unsuccessful = evaluations.filter(({ status }) => status !== "succeeded");
  const differing = evaluations.filter((one) => one.status === "succeeded" && !equal(one, expected.get(one.place)));
  return [
    problem("accepted, and not in the database", lost),
    problem(
      "in the database, and never accepted",
      others.map(({ id }) => id),
    ),
    problem("accepted as two submissions", repeated(accepted)),
    problem(
      "not succeeded",
      unsuccessful.map(({ id, status, error }) => `${id} ${status} ${error?.message ?? ""}`),
    ),
    problem("submissions recorded twice", repeated(evaluations.map(({ requestKey }) => requestKey))),
    problem("places recorded twice", repeated(evaluations.map(({ place }) => place))),
    problem("identities recorded twice", repeated(evaluations.flatMap(({ identity }) => identity ?? []))),
    problem(
      "other numbers than in the quiet run",
      differing.map(({ id, place }) => `${id} ${place}`),
    ),
    problem(
      "jobs that have not ended",
      Object.entries(jobs)
        .filter(([job]) => UNENDED_JOB.test(job))
        .map(([job, count]) => `${count} ${job}`),
    ),
    problem("shards left", leftShards > 0 ? [`${leftShards}`] : []),
  ].flat();
}

/** All values, to the last bit, and curves and matrices. */
function equal(one: Recorded, quiet: Recorded | undefined): boolean {
  if (!quiet || Object.keys(quiet.values).length === 0) return false;
  return isDeepStrictEqual(one.values, quiet.values) && isDeepStrictEqual(one.details, quiet.details);
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.has(name) || !seen.add(name));
}

function problem(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return [];
  return [`${which.length} ${what}: ${which.slice(0, MOST_SHOWN).join("; ")}`];
}
