import { createHash } from "node:crypto";
import type { Job, PgBoss, SendOptions } from "pg-boss";
import type { Queries } from "../database/database.ts";
import { findEnding } from "../database/webhooks.ts";
import { asCollapsarError } from "../errors.ts";
import { logFailure, within } from "../logging.ts";
import { transactionOf } from "./backend.ts";

/** Who is to be told of which ending: one that was retried ends again. */
export interface Delivery {
  readonly evaluation: string;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly url: string;
}

/** Tells the receiver once. What it throws is tried again later where it is retryable. */
export type Deliver = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

/** The webhooks that are to be called, in the database. */
export interface Deliveries {
  /** Queues, in the transaction of `queries`, what is to be told if the evaluation has ended; of one ending each URL once. */
  announce(queries: Queries, evaluation: string): Promise<void>;
  /** Lets `deliver` do it, until `stopping` is aborted. */
  work(deliver: Deliver, stopping: AbortSignal): Promise<void>;
}

/** The queue's name; it is none of evaluations. */
export const DELIVER = "webhook";

/** The waits double from about 5 s to 4 hours, which makes about a day in all: a receiver may be repaired meanwhile. */
export const REDELIVERY: SendOptions = { retryLimit: 16, retryDelay: 5, retryBackoff: true, retryDelayMax: 4 * 3600 };

/** A delivery ends by itself long before. */
const EXPIRES_SECONDS = 60;

/** At a time in one process; in all processes to one host, so that one which does not answer leaves room for others. */
const DELIVERIES = 4;
const DELIVERIES_TO_A_HOST = 2;

/** NOTIFY wakes the workers for new jobs; polling is for retries that come due. */
const POLLING = { pollingIntervalSeconds: 5, notifyPollingIntervalSeconds: 5 };

/** Returns the deliveries in the queues of `boss`, which is started. */
export async function openDeliveries(boss: PgBoss, redelivery: SendOptions): Promise<Deliveries> {
  await boss.createQueue(DELIVER, { notify: true });
  return {
    async announce(queries, evaluation) {
      const ending = await findEnding(queries, evaluation);
      for (const url of ending?.webhooks ?? []) {
        const delivery: Delivery = { evaluation, endedAt: ending!.endedAt.toISOString(), url };
        await boss.send(DELIVER, delivery, {
          ...redelivery,
          id: idOf(delivery),
          group: { id: new URL(url).host },
          expireInSeconds: EXPIRES_SECONDS,
          db: transactionOf(queries),
        });
      }
    },

    async work(deliver, stopping) {
      const options = { ...POLLING, groupConcurrency: DELIVERIES_TO_A_HOST };
      for (let i = 0; i < DELIVERIES; i++) {
        const worker = await boss.work(DELIVER, options, async ([job]: Job<Delivery>[]) => {
          const { data, signal } = job!;
          await attempt(deliver, data, AbortSignal.any([signal, stopping])).finally(() => {
            boss.notifyWorker(worker); // to fetch the next at once, not at the next poll
          });
        });
      }
    },
  };
}

/** Throws where pg-boss shall try again. */
function attempt(deliver: Deliver, delivery: Delivery, signal: AbortSignal): Promise<void> {
  return within({ evaluation: delivery.evaluation }, async () => {
    try {
      await deliver(delivery, signal);
    } catch (error) {
      logFailure(error);
      if (asCollapsarError(error).retryable) throw error;
    }
  });
}

/** The same delivery has the same id, as a UUID: whoever queues it again queues nothing. */
function idOf({ evaluation, endedAt, url }: Delivery): string {
  const hex = createHash("sha256")
    .update(JSON.stringify([evaluation, endedAt, url]))
    .digest("hex");
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
