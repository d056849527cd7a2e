import { AsyncLocalStorage } from "node:async_hooks";
import { pino } from "pino";
import { asCollapsarError, redact } from "./errors.ts";

const about = new AsyncLocalStorage<object>();

/** JSON lines on standard error, so that standard output stays for results; on each line what `within` says. */
export const log = pino(
  { base: undefined, mixin: () => about.getStore() ?? {} },
  pino.destination({ dest: 2, sync: false }),
);

/** Returns what `work` returns; all that it logs, however deep and late, has `fields` (the id of a request, …). */
export function within<T>(fields: object, work: () => T): T {
  return about.run({ ...about.getStore(), ...fields }, work);
}

/** Logs a failure that no caller waits for: code and message, and the stack of what is unexpected. */
export function logFailure(error: unknown): void {
  const { code, message, cause } = asCollapsarError(error);
  log.error(
    { code, ...(code === "internal" && cause instanceof Error && { stack: redact(cause.stack ?? "") }) },
    message,
  );
}
