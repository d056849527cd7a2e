import { createHash } from "node:crypto";
import type { Dataset } from "../datasets/dataset.ts";
import type { Engine } from "../engines/engine.ts";
import { METRICS_VERSION } from "../metrics/names.ts";
import type { ObjectHead } from "../storage/storage.ts";
import type { EvaluationRequest } from "./request.ts";
import type { EvaluationSets } from "./sets.ts";

/** A dataset as an evaluation remembers it. */
export interface DatasetIdentity {
  readonly name: string;
  readonly digest: string;
}

/** All that decides the numbers besides the checkpoint's bytes. */
export interface ProtocolParts {
  readonly dataset: DatasetIdentity;
  readonly test: DatasetIdentity | null;
  readonly validation: DatasetIdentity | null;
  readonly ood: readonly (DatasetIdentity & { readonly group: string | null })[];
  /** Absolute; absent where it is the least that is needed. */
  readonly jitter?: number;
  readonly network: Readonly<Record<string, string>>;
  readonly engine: string;
  readonly precision: string;
  /** Absent for a CPU. */
  readonly device?: string;
  readonly metrics: string;
}

/** Returns the protocol of evaluating on these sets with this engine. */
export function protocolOf(request: EvaluationRequest, engine: Engine, sets: EvaluationSets): ProtocolParts {
  const identity = ({ name, digest }: Dataset): DatasetIdentity => ({ name, digest });
  return {
    dataset: identity(sets.train),
    test: sets.test && identity(sets.test),
    validation: sets.validation && identity(sets.validation),
    ood: sets.ood.map(({ name, group, dataset }) => ({ name, digest: dataset.digest, group })),
    ...(request.jitter !== undefined && { jitter: request.jitter }),
    network: request.network ?? {},
    engine: engine.name,
    precision: engine.precision,
    ...(engine.device !== "cpu" && { device: engine.device }),
    metrics: METRICS_VERSION,
  };
}

/** Returns the sha256 (hex) of the protocol: equal protocols have equal digests, whatever the order of their keys. */
export function protocolDigest(parts: ProtocolParts): string {
  return digestOf(parts);
}

/**
 * Returns the sha256 (hex) of what is known of a request before the object is read: the version of the object and of the
 * datasets, and everything the caller asked for. Two submissions with the same key would give the same record.
 */
export function requestKey(
  request: EvaluationRequest,
  object: ObjectHead,
  datasets: Readonly<Record<string, string>>,
): string {
  // none changes the record
  const { force: _, shards: __, timeout: ___, priority: ____, webhook: _____, ...asked } = request;
  return digestOf({ asked, etag: object.etag, size: object.size, datasets, metrics: METRICS_VERSION });
}

/** Returns the sha256 (hex) of `value` as JSON, whatever the order of its keys. */
export function digestOf(value: unknown): string {
  const sorted = JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
  return createHash("sha256").update(sorted).digest("hex");
}
