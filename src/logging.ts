import { pino } from "pino";
import { asCollapsarError } from "./errors.ts";

/** JSON lines on standard error, so that standard output stays for results. */
export const log = pino({ base: undefined }, pino.destination({ dest: 2, sync: false }));

/** Logs a failure that no caller waits for: code and message, and the stack of what is unexpected. */
export function logFailure(error: unknown): void {
  const { code, message, cause } = asCollapsarError(error);
  log.error({ code, ...(code === "internal" && cause instanceof Error && { stack: cause.stack }) }, message);
}
