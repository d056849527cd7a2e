import { redactUrl } from "../storage/url.ts";
import type { EvaluationRequest } from "./request.ts";

/** The fields of a request that name objects to be read. */
const REFERENCES = ["checkpoint", "dataset", "test", "validation", "ood"] as const;
type Presigned = Partial<Pick<EvaluationRequest, (typeof REFERENCES)[number]>>;

/**
 * Returns the request without the queries of its URLs, and those of its fields that had one, as they were (null: none
 * had): who has a presigned URL may read the object, so its query is kept apart, and not for long.
 */
export function withoutQueries(request: EvaluationRequest): {
  readonly request: EvaluationRequest;
  readonly presigned: Presigned | null;
} {
  const shown: Presigned = { ...request, checkpoint: withoutQuery(request.checkpoint) };
  for (const field of ["dataset", "test", "validation"] as const)
    if (request[field] !== undefined) shown[field] = withoutQuery(request[field]);
  if (request.ood) shown.ood = request.ood.map(setWithoutQuery);
  const changed = REFERENCES.filter((field) => JSON.stringify(shown[field]) !== JSON.stringify(request[field]));
  const presigned = Object.fromEntries(changed.map((field) => [field, request[field]]));
  return { request: { ...request, ...shown }, presigned: changed.length > 0 ? presigned : null };
}

type OodEntry = NonNullable<EvaluationRequest["ood"]>[number];

function setWithoutQuery(entry: OodEntry): OodEntry {
  return typeof entry === "string" ? withoutQuery(entry) : { ...entry, set: withoutQuery(entry.set) };
}

/** Only web URLs have queries; in a path `?` and `#` are characters like others. */
function withoutQuery(reference: string): string {
  return /^https?:/i.test(reference) ? redactUrl(reference) : reference;
}
