import type { Database } from "../database/database.ts";
import type { FoundRules } from "../jobs/found.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Submitter } from "../jobs/submit.ts";
import type { Storage } from "../storage/storage.ts";

/** What the API answers from. */
export interface Service {
  readonly database: Database;
  /** Takes a request in: looks at the object, records it as queued, wakes a worker. */
  readonly submit: Submitter;
  /** Aborted when the service has been told to stop: it answers still, but wants no more requests. */
  readonly draining?: AbortSignal;
  readonly queue: Pick<Queue, "cancel" | "retry">;
  /** Where checkpoints are looked for. */
  readonly storage: Pick<Storage, "list" | "head">;
  /** Of checkpoints that a store tells of; without, what their own metadata say. */
  readonly found?: FoundRules;
}
