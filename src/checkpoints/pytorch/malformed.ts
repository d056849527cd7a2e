import { CollapsarError } from "../../errors.ts";

/** Returns the CollapsarError `malformed-checkpoint` that says `what` is wrong with a file of `torch.save`. */
export function malformed(what: string): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `not a state_dict by torch.save that we can read: ${what}`);
}

/** Returns `name` in quotes, cut where it is long, with control characters escaped: it comes from the file. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
