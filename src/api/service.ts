import type { Database } from "../database/database.ts";
import type { Submitter } from "../jobs/submit.ts";

/** What the API answers from. */
export interface Service {
  readonly database: Database;
  /** Takes a request in: looks at the object, records it as queued, wakes a worker. */
  readonly submit: Submitter;
}
