import { setTimeout as sleep } from "node:timers/promises";
import type { Happened } from "./schedule.ts";

const LOOK_MILLISECONDS = 100;

/** One look at `/readyz`: when it was asked and answered, in seconds from the start. */
export interface Look {
  readonly asked: number;
  readonly answered: number;
  /** 0: no answer. */
  readonly status: number;
}

/** Looks at `/readyz` of a service until `signal` is aborted. */
export async function watchReadiness(
  service: { readonly url: string | undefined },
  clock: () => number,
  signal: AbortSignal,
): Promise<Look[]> {
  const looks: Look[] = [];
  while (!signal.aborted) {
    const asked = clock();
    const answer = await fetch(`${service.url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(() => null);
    await answer?.body?.cancel();
    looks.push({ asked, answered: clock(), status: answer?.status ?? 0 });
    await sleep(LOOK_MILLISECONDS);
  }
  return looks;
}

/** What the looks say of one time in which the database was away. */
export interface Readiness {
  readonly fault: string;
  /** Looks while it was away, and how many of them were told that the service is ready. */
  readonly looks: number;
  readonly wrong: number;
  readonly longestAnswerSeconds: number;
  /** From when the database answered again to when the service was ready. */
  readonly readyAfterSeconds: number;
}

/** Returns what the looks say of each of the faults that took the database away. */
export function readinessDuring(looks: readonly Look[], faults: readonly Happened[]): Readiness[] {
  return faults.map(({ name, complete, repairing, ended }) => {
    const away = looks.filter(({ asked, answered }) => asked > complete && answered < repairing);
    const ready = looks.find(({ asked, status }) => asked >= ended && status === 200);
    return {
      fault: name,
      looks: away.length,
      wrong: away.filter(({ status }) => status !== 503).length,
      longestAnswerSeconds: Math.max(0, ...away.map(({ asked, answered }) => answered - asked)),
      readyAfterSeconds: ready ? ready.answered - ended : Number.POSITIVE_INFINITY,
    };
  });
}

/** A database that answers again is used within so long: connections begun at one that was dying are given up after 10 s. */
const READY_AFTER_SECONDS = 15;

/** Returns, a line each, where the service said that it is ready and was not, or the reverse. */
export function readinessProblems(during: readonly Readiness[]): string[] {
  return during.flatMap(({ fault, wrong, looks, readyAfterSeconds }) => [
    ...(looks === 0 ? [`nobody asked for readiness while ${fault}`] : []),
    ...(wrong > 0 ? [`${wrong} of ${looks} looks did not say 503 while ${fault}`] : []),
    ...(readyAfterSeconds > READY_AFTER_SECONDS ? [`not ready ${READY_AFTER_SECONDS} s after ${fault}`] : []),
  ]);
}
