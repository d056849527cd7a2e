import { asCollapsarError, CollapsarError } from "../errors.ts";
import { type EvaluationRequest, parseRequest } from "../evaluation/request.ts";

/** What is done with objects that nobody submitted: they lie in a folder that is swept, or a store tells of them. */
export interface FoundRules {
  /** What is asked of each. */
  readonly request: Omit<EvaluationRequest, "checkpoint">;
  /** Whether the object is a checkpoint, by its name. */
  isCheckpoint(url: string): boolean;
}

const CHECKPOINT = /(\.(safetensors|pt|pth|onnx)|\/model\.json)$/i;

/**
 * Returns the rules that ask `request` of each checkpoint but the files below `parts`, which evaluations keep for themselves.
 * @throws CollapsarError `invalid-request` that names the field of `COLLAPSAR_FOUND`.
 */
export function foundRules(request: Readonly<Record<string, unknown>>, parts: string): FoundRules {
  if (request.checkpoint !== undefined) throw notFields("it names a checkpoint itself");
  return { request: fieldsOf(request), isCheckpoint: (url) => CHECKPOINT.test(url) && !url.startsWith(`${parts}/`) };
}

function fieldsOf(request: Readonly<Record<string, unknown>>): FoundRules["request"] {
  try {
    const { checkpoint: _, ...asked } = parseRequest({ ...request, checkpoint: "found" });
    return asked;
  } catch (error) {
    throw notFields(asCollapsarError(error).message);
  }
}

function notFields(why: string): CollapsarError {
  return new CollapsarError("invalid-request", `environment variable COLLAPSAR_FOUND: ${why}`);
}
