import type { Config } from "../../config.ts";
import { asCollapsarError, CollapsarError, type ErrorCode, redact } from "../../errors.ts";
import type { Progress } from "../../evaluation/evaluate.ts";
import { cacheAsked, imagesDone, stageEnded } from "../../telemetry/events.ts";
import type { OperationName, Order, Result } from "../evaluator.ts";

/** What of the configuration operations need. */
export type OperationSettings = Pick<Config, "store" | "data" | "cache" | "fileRoots" | "allowed">;

/** What the parent says: an order, one at a time, then what it was asked, or that nobody waits for the order any more. */
export type ToChild =
  | {
      readonly is: "order";
      readonly name: OperationName;
      readonly order: Order<OperationName>;
      readonly settings: OperationSettings;
    }
  | { readonly is: "answer"; readonly recorded: string | null }
  | { readonly is: "abort" };

/** What happens in the child, and is told in the parent, where the instruments are. */
export const HAPPENINGS = { stageEnded, imagesDone, cacheAsked };

type Happenings = typeof HAPPENINGS;
type Happened<N extends keyof Happenings = keyof Happenings> = {
  [E in N]: { readonly is: "happened"; readonly event: E; readonly message: Parameters<Happenings[E]["tell"]>[0] };
}[N];

/** What the child says while it does an order; `done` or `failed` ends it. */
export type ToParent =
  | { readonly is: "progress"; readonly progress: Progress }
  | Happened
  | { readonly is: "question"; readonly sha256: string; readonly protocol: string }
  | { readonly is: "done"; readonly result: Result<OperationName> }
  | { readonly is: "failed"; readonly error: SentError };

/** An error as it goes from one process to the other. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** Of what was not expected. */
  readonly stack?: string;
}

/** Returns the error to be sent. */
export function sentError(error: unknown): SentError {
  const { code, message, retryable, cause } = asCollapsarError(error);
  const stack = cause instanceof Error ? cause.stack : undefined;
  return { code, message, retryable, ...(stack !== undefined && { stack: redact(stack) }) };
}

/** Returns the error that was sent, as it was thrown. */
export function receivedError({ code, message, retryable, stack }: SentError): CollapsarError {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  return new CollapsarError(code, message, { retryable, cause });
}
