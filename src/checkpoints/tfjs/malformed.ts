import { CollapsarError } from "../../errors.ts";

/** Returns the error that says what is wrong with the files of a layers model. */
export function malformed(what: string, cause?: unknown): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `not a valid TensorFlow.js layers model: ${what}`, { cause });
}
