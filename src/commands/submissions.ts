import type { EvaluationResource } from "../api/contract.ts";
import { asCollapsarError } from "../errors.ts";
import { type Connection, submit, untilEnded } from "./connection.ts";
import type { OodSets } from "./options.ts";

/** What has become of a checkpoint that was to be evaluated. */
export interface SubmissionEvent {
  readonly phase: "submitted" | "evaluated";
  readonly checkpoint: string;
  /** Null where it could not be submitted. */
  readonly evaluation: string | null;
  readonly status: EvaluationResource["status"];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Checkpoints on their way through a service. */
export interface Submissions {
  /** Submits a checkpoint, at once and without waiting. */
  add(checkpoint: string): void;
  /** Returns the last event of every checkpoint, in the order in which they were added, once there is one. */
  end(): Promise<readonly SubmissionEvent[]>;
}

/**
 * Returns submissions to `service`, each for evaluation against the sets `ood`. With `waits` a submission ends when its
 * evaluation has ended, else when it is accepted. One that fails is an event like any other: the training goes on.
 */
export function openSubmissions(
  service: Connection,
  { ood, waits, onEvent }: { ood: OodSets; waits: boolean; onEvent: (event: SubmissionEvent) => void },
): Submissions {
  const submissions: Promise<SubmissionEvent>[] = [];
  // one after the other, for that is how a service evaluates them, and how seldom it is to be asked
  let waited: Promise<unknown> = Promise.resolve();
  const tell = (phase: SubmissionEvent["phase"], checkpoint: string, { id, status, error }: Answer) => {
    const event = { phase, checkpoint, evaluation: id, status, error };
    onEvent(event);
    return event;
  };
  const evaluate = async (checkpoint: string): Promise<SubmissionEvent> => {
    try {
      const accepted = await submit(service, { checkpoint, ood });
      const event = tell("submitted", checkpoint, accepted);
      if (!waits) return event;
      const before = waited;
      const ended = before.then(() => untilEnded(service, accepted));
      waited = ended.catch(() => {});
      return tell("evaluated", checkpoint, await ended);
    } catch (cause) {
      const { code, message } = asCollapsarError(cause);
      return tell("submitted", checkpoint, { id: null, status: "failed", error: { code, message } });
    }
  };
  return {
    add: (checkpoint) => void submissions.push(evaluate(checkpoint)),
    end: () => Promise.all(submissions),
  };
}

type Answer = Pick<EvaluationResource, "status" | "error"> & { readonly id: string | null };
