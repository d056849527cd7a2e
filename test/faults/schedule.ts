import { setTimeout as sleep } from "node:timers/promises";
import type { OwnPostgres } from "../servers/postgres.ts";
import type { OwnS3 } from "../servers/s3.ts";
import type { Member } from "./processes.ts";
import type { SmallDisk } from "./smallDisk.ts";

/** Something that goes wrong for a while. */
export interface Fault {
  readonly name: string;
  /** When, in seconds from the start, and how long. */
  readonly at: number;
  readonly seconds: number;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** A fault that was: seconds from the start. */
export interface Happened {
  readonly name: string;
  readonly began: number;
  /** From when it was complete to when its repair began: in between what was taken away is away for certain. */
  readonly complete: number;
  readonly repairing: number;
  readonly ended: number;
}

/** What can break. */
export interface Breakable {
  readonly postgres: OwnPostgres;
  readonly s3: OwnS3;
  readonly disk: SmallDisk;
  /** Whose temporary files are on `disk`. */
  readonly cramped: Member;
}

/** Returns the faults of a run in which `seconds` pass until the last submission; the S3 server is away for `s3Seconds`. */
export function faultsOf({ postgres, s3, disk, cramped }: Breakable, seconds: number, s3Seconds: number): Fault[] {
  return [
    {
      name: "PostgreSQL crashed (immediate) and started again",
      ...{ at: seconds * 0.12, seconds: 2 },
      begin: () => postgres.halt("immediate"),
      end: () => postgres.resume(),
    },
    {
      name: `S3 server away for ${s3Seconds} s`,
      ...{ at: seconds * 0.3, seconds: s3Seconds },
      begin: () => s3.halt(),
      end: () => s3.resume(),
    },
    {
      name: `disk of one worker full (${disk.kind})`,
      ...{ at: seconds * 0.6, seconds: Math.max(8, seconds * 0.12) },
      begin: () => disk.fill(cramped),
      async end() {
        for (let waited = 0; waited < 30 && !cramped.failures["disk-full"]; waited += 0.1) await sleep(100);
        await disk.free(cramped); // not before the worker has met it: it may still rest from what was before
      },
    },
    {
      name: "PostgreSQL stopped (fast) and started again",
      ...{ at: seconds * 0.85, seconds: 5 },
      begin: () => postgres.halt("fast"),
      end: () => postgres.resume(),
    },
  ];
}

/** Lets the faults happen, one after the other, and returns when the last is repaired. `clock` gives seconds. */
export async function happen(
  faults: readonly Fault[],
  clock: () => number,
  say: (line: string) => void,
): Promise<Happened[]> {
  const happened: Happened[] = [];
  for (const { name, at, seconds, begin, end } of faults) {
    await sleep(Math.max(0, at - clock()) * 1000);
    const began = clock();
    say(`${name}: begins`);
    await begin();
    const complete = clock();
    await sleep(seconds * 1000);
    const repairing = clock();
    await end();
    happened.push({ name, began, complete, repairing, ended: clock() });
    say(`${name}: over`);
  }
  return happened;
}

/**
 * Every `seconds` ends one worker that is at work, in turn: three times with SIGKILL, then with SIGTERM, until `signal` is
 * aborted. Returns how often.
 */
export async function killInTurn(workers: readonly Member[], seconds: number, signal: AbortSignal): Promise<number> {
  const ending: Promise<void>[] = [];
  for (let next = 0; ; ) {
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const worker = workers[next % workers.length]!;
    if (!worker.isReady) continue; // still starting: a database may be away
    ending.push(worker.end(next % 4 === 3 ? "SIGTERM" : "SIGKILL"));
    next += 1;
  }
  await Promise.all(ending);
  return ending.length;
}
