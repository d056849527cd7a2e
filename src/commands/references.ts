import { parseReference } from "../datasets/reference.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import type { OodSets } from "./options.ts";

/** Returns the request with every path as a URL: who answers it may run in another folder. @throws CollapsarError `unknown-dataset`, `unsupported-url`. */
export function absoluteRequest({ ood, ...request }: EvaluationRequest): EvaluationRequest {
  const sets = (["dataset", "test", "validation"] as const).flatMap((name) => {
    const reference = request[name];
    return reference === undefined ? [] : [[name, absolute(reference)] as const];
  });
  return { ...request, ...Object.fromEntries(sets), ...(ood && { ood: absoluteOod(ood) }) };
}

/** Returns out-of-distribution sets with every path as a URL. @throws CollapsarError as `absoluteRequest`. */
export function absoluteOod(ood: OodSets): OodSets {
  return ood.map((entry) => (typeof entry === "string" ? absolute(entry) : { ...entry, set: absolute(entry.set) }));
}

function absolute(reference: string): string {
  const parsed = parseReference(reference);
  return parsed.kind === "file" ? parsed.url : parsed.name;
}
