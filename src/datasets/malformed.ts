import { CollapsarError } from "../errors.ts";

/** Returns the error that the file `source` is not what its format says. */
export function malformed(source: string, what: string, cause?: unknown): CollapsarError {
  return new CollapsarError("malformed-dataset", `${source}: ${what}`, { cause });
}
