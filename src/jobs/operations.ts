import type { Numbers, RecordDescription } from "../database/record.ts";
import type { Share } from "../database/schema.ts";
import type { ShardKey } from "../database/shards.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { asCollapsarError, CollapsarError } from "../errors.ts";
import { type Evaluated, evaluateOpened } from "../evaluation/evaluate.ts";
import type { Measured } from "../evaluation/measure.ts";
import { type Description, openEvaluation } from "../evaluation/open.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { shardsOf } from "../evaluation/shards/cut.ts";
import { extractShard } from "../evaluation/shards/extractShard.ts";
import { mergeShards } from "../evaluation/shards/mergeShards.ts";
import { openPart, type PartStore, writePart } from "../evaluation/shards/parts.ts";
import { stopwatch } from "../evaluation/stopwatch.ts";
import type { Evaluator, OperationCall } from "./evaluator.ts";

/** What operations work with besides what they are ordered. */
export interface OperationSources {
  readonly sources: DatasetSources;
  /** Where shards leave their features. */
  readonly parts: PartStore;
}

type Context = OperationSources & OperationCall;

/** Details may be JSON already: those of a thousand classes are millions of numbers, which would hold up who records them. */
type Written<T extends Measured> = Omit<T, "details"> & Pick<Numbers, "details">;

/** What became of an evaluation that was opened: it was measured, its numbers are those of another, or it is to be cut. */
export type Evaluation =
  | { readonly is: "measured"; readonly evaluated: Written<Evaluated> }
  | { readonly is: "recorded"; readonly description: Description; readonly copyOf: string }
  | { readonly is: "cut"; readonly description: Description; readonly shards: readonly (readonly Share[])[] };

async function evaluate(request: EvaluationRequest, context: Context): Promise<Evaluation> {
  const opened = await openEvaluation(request, context);
  const { description, recorded } = opened;
  if (recorded !== null) return { is: "recorded", description, copyOf: recorded };
  const shards = shardsOf(opened);
  if (shards.length > 1) return { is: "cut", description, shards };
  return { is: "measured", evaluated: written(await evaluateOpened(opened, context)) };
}

/** One shard of an evaluation. */
interface ShardOrder {
  readonly key: ShardKey;
  readonly request: EvaluationRequest;
  /** What the evaluation began with. */
  readonly begun: RecordDescription;
  readonly shares: readonly Share[];
}

async function evaluateShard(
  { key, request, begun, shares }: ShardOrder,
  { sources, parts, signal, onProgress }: Context,
): Promise<void> {
  const opened = await openEvaluation(request, { sources, signal }).catch(leaveToOthers);
  requireSame(opened.description, begun);
  const report = (done: number, total: number) => onProgress?.({ stage: "shards", done, total });
  const keep = (share: number, path: string) => writePart(parts, { ...key, share }, path, { signal });
  const clock = stopwatch();
  await extractShard(opened, shares, keep, { signal, onProgress: report });
  clock.lap("features");
}

/** All shards of an evaluation, whose features are in the store. */
interface MergeOrder {
  readonly evaluation: string;
  readonly request: EvaluationRequest;
  readonly shards: readonly (readonly Share[])[];
}

async function merge(
  { evaluation, request, shards }: MergeOrder,
  { parts, signal }: Context,
): Promise<Written<Measured>> {
  const open = ({ copies, ...place }: { shard: number; share: number; copies: string }) =>
    openPart(parts, { evaluation, ...place }, copies, { signal });
  return written(await mergeShards(request, shards, open, signal));
}

/** What an evaluator can be asked for. */
const OPERATIONS = { evaluate, evaluateShard, merge };
export type Operations = typeof OPERATIONS;

/** Returns the evaluator that works in this thread, and holds up all else that is to be done in it. */
export function evaluatorHere(sources: OperationSources): Evaluator {
  return {
    run: (name, order, call) => (OPERATIONS[name] as (...given: unknown[]) => never)(order, { ...sources, ...call }),
  };
}

function written<T extends Measured>({ details, ...others }: T): Written<T> {
  return { ...others, details: JSON.stringify(details) };
}

/** Another worker may have the engine that the evaluation began with. */
function leaveToOthers(error: unknown): never {
  const { code, message } = asCollapsarError(error);
  if (code === "missing-engine") throw new CollapsarError(code, message, { cause: error, retryable: true });
  throw error;
}

/** Features of different bytes, images or engines must not meet in one evaluation. */
function requireSame(found: Description, begun: RecordDescription): void {
  const differences = [
    found.checkpoint.sha256 !== begun.checkpoint.sha256 && "the checkpoint",
    found.protocol !== begun.protocol && "the sets or the version of the metrics",
    found.engine.version !== begun.engine.version && `the version of the engine (${found.engine.version})`,
  ].filter(Boolean);
  if (differences.length === 0) return;
  const message = `${differences.join(" and ")} differ from what the evaluation began with: expected the same for all shards`;
  throw new CollapsarError("conflict", message, { retryable: true });
}
