import type { Progress } from "../evaluation/evaluate.ts";
import type { Operations } from "./operations.ts";

/** What whoever asked for an operation hears of it, and is asked. */
export interface OperationCall {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** As `EvaluationContext.findRecorded`. */
  readonly findRecorded?: (sha256: string, protocol: string) => Promise<string | null>;
}

export type OperationName = keyof Operations;
export type Order<Name extends OperationName> = Parameters<Operations[Name]>[0];
export type Result<Name extends OperationName> = Awaited<ReturnType<Operations[Name]>>;

/** Does the heavy part of tasks: bytes, networks, numbers. Of the database it knows nothing. */
export interface Evaluator {
  /** Returns what the operation makes of its order. @throws CollapsarError as the operation. */
  run<Name extends OperationName>(name: Name, order: Order<Name>, call: OperationCall): Promise<Result<Name>>;
}
