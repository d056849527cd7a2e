import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { s3Storage } from "../../src/storage/s3.ts";
import type { OwnPostgres } from "../servers/postgres.ts";
import { clientOf, type OwnS3 } from "../servers/s3.ts";
import { postAll } from "./client.ts";
import { describeMembers, memberProblems, startMembers } from "./members.ts";
import { readinessDuring, readinessProblems, watchReadiness } from "./readiness.ts";
import { countUnended, type Records, readRecords } from "./records.ts";
import { faultsOf, happen, killInTurn } from "./schedule.ts";
import { makeSmallDisk } from "./smallDisk.ts";
import { type Submission, storeInputs, submissionsOf } from "./submissions.ts";
import { problemsOf } from "./verdict.ts";

/** What is to happen. */
export interface Plan {
  readonly submissions: number;
  /** In the run with faults; in the quiet one they come as fast as they are taken. */
  readonly perSecond: number;
  /** Between two kills. */
  readonly killSeconds: number;
  /** How long the S3 server is away. */
  readonly s3Seconds: number;
}

/** Nothing takes so long but what never comes. */
const LONGEST_DRAIN_SECONDS = 600;
const LOOK_MILLISECONDS = 500;

/** Hears how it goes. */
export interface Listener {
  say(line: string): void;
  /** A line of the log of a process that tells of a failure. */
  hear(line: string): void;
  progress(what: string, done: number, total: number): void;
}

export type Report = Awaited<ReturnType<typeof runScenario>>;

/**
 * Evaluates the same submissions twice on these servers, each time in a database of its own: quietly, and while workers are
 * killed, PostgreSQL is restarted twice, the S3 server is away and the disk of one worker is full. Returns what came of it;
 * `problems` is empty where it is as it must be.
 */
export async function runScenario(
  { postgres, s3 }: { readonly postgres: OwnPostgres; readonly s3: OwnS3 },
  plan: Plan,
  listener: Listener,
) {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-faults-"));
  const client = clientOf(s3.env);
  const inputs = `s3://${s3.bucket}/inputs`;
  try {
    await storeInputs(s3Storage(client), inputs);
    const submissions = submissionsOf(plan.submissions, inputs);
    const place = { postgres, s3, folder };
    const quiet = await runQuietly(place, submissions, listener);
    const faulty = await runWithFaults(place, submissions, plan, listener);
    const { records, posted, ...rest } = faulty;
    const problems = [...problemsOf(records, quiet.records, posted.ids), ...rest.problems];
    return {
      plan,
      problems,
      quiet: { seconds: quiet.seconds },
      faulty: {
        ...rest,
        posts: posted.answers,
        states: histogram(records.evaluations, ({ status }) => status),
        attempts: histogram(records.evaluations, ({ attempts }) => String(attempts)),
        values: records.evaluations.reduce((sum, { values }) => sum + Object.keys(values).length, 0),
        jobs: records.jobs,
      },
    };
  } finally {
    client.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly postgres: OwnPostgres;
  readonly s3: OwnS3;
  readonly folder: string;
}

async function runQuietly(
  place: Place,
  submissions: readonly Submission[],
  listener: Listener,
): Promise<{ records: Records; seconds: number }> {
  const { url, services, stop } = await startMembers(place, "quiet", listener.hear);
  try {
    const begun = performance.now();
    await postAll(submissions, services, Number.POSITIVE_INFINITY, () => {});
    await untilEnded(url, submissions.length, (done) => listener.progress("quiet run", done, submissions.length));
    return { seconds: (performance.now() - begun) / 1000, records: await readRecords(url) };
  } finally {
    await stop();
  }
}

async function runWithFaults(
  place: Place,
  submissions: readonly Submission[],
  { perSecond, killSeconds, s3Seconds }: Plan,
  listener: Listener,
) {
  const disk = makeSmallDisk(join(place.folder, "disk"));
  const members = await startMembers(place, "faulty", listener.hear, disk);
  const { url, services, workers, cramped } = members;
  const [watched, killed] = [new AbortController(), new AbortController()];
  try {
    const begun = performance.now();
    const clock = () => (performance.now() - begun) / 1000;
    const readiness = watchReadiness(services[0]!, clock, watched.signal);
    const kills = killInTurn(workers, killSeconds, killed.signal);
    const total = submissions.length;
    const faults = faultsOf({ ...place, disk, cramped: cramped! }, total / perSecond, s3Seconds);
    const [posted, happened] = await Promise.all([
      postAll(submissions, services, perSecond, (count) => listener.progress("accepted amid faults", count, total)),
      happen(faults, clock, listener.say),
    ]);
    killed.abort();
    const count = await kills;
    const faultsOver = clock();
    await untilEnded(url, total, (done) => listener.progress("draining", done, total));
    const drained = clock();
    watched.abort();
    const away = happened.filter(({ name }) => name.startsWith("PostgreSQL"));
    const ready = readinessDuring(await readiness, away);
    await members.stop();
    const seconds = { submitting: posted.seconds, faults: faultsOver, drain: drained - faultsOver, total: drained };
    return {
      problems: [...readinessProblems(ready), ...memberProblems(members)],
      records: await readRecords(url),
      posted,
      seconds,
      faults: happened,
      readiness: ready,
      kills: count,
      ...describeMembers(members),
    };
  } finally {
    watched.abort();
    killed.abort();
    await members.stop();
    disk.remove();
  }
}

/** Returns when no evaluation is to be done and no job is left, or LONGEST_DRAIN_SECONDS have passed. */
async function untilEnded(url: string, total: number, onProgress: (done: number) => void): Promise<void> {
  const deadline = performance.now() + LONGEST_DRAIN_SECONDS * 1000;
  while (performance.now() < deadline) {
    const { evaluations, jobs } = await countUnended(url);
    onProgress(total - evaluations);
    if (evaluations + jobs === 0) return;
    await sleep(LOOK_MILLISECONDS);
  }
}

function histogram<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts = Object.entries(Object.groupBy(items, keyOf)).map(([key, group]) => [key, group!.length] as const);
  return Object.fromEntries(counts.sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })));
}
