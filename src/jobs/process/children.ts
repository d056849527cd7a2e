import type { Evaluator } from "../evaluator.ts";
import { type Child, startChild } from "./child.ts";
import type { OperationSettings } from "./messages.ts";

/** A process that has nothing to do keeps its engine and what it knows of networks for so long; then its memory is given back. */
const IDLE_MILLISECONDS = 60_000;

/** An evaluator that works in processes of its own. */
export interface ChildEvaluator extends Evaluator {
  /** Starts a process, so that the first operation need not wait for one. */
  warm(): void;
  /** Ends all processes. */
  close(): Promise<void>;
}

/**
 * Returns the evaluator that does each operation in a child process: nothing in this one waits for numerics, a crash ends
 * one attempt, and one that does not heed its signal within a second is killed. There are as many as there are operations at
 * a time; they are kept for the next ones.
 */
export function evaluatorInChildren(
  settings: OperationSettings,
  idleMilliseconds: number = IDLE_MILLISECONDS,
): ChildEvaluator {
  const children = new Set<Child>();
  const idle = new Map<Child, NodeJS.Timeout>();

  function start(): Child {
    const child = startChild(settings);
    children.add(child);
    return child;
  }

  function take(): Child {
    for (const [child, timer] of idle) {
      clearTimeout(timer);
      idle.delete(child);
      if (child.alive) {
        child.hold(true);
        return child;
      }
      children.delete(child);
    }
    return start();
  }

  function rest(child: Child): void {
    if (!child.alive) {
      children.delete(child);
      return;
    }
    child.hold(false);
    const release = () => {
      idle.delete(child);
      children.delete(child);
      child.end();
    };
    idle.set(child, setTimeout(release, idleMilliseconds).unref());
  }

  return {
    run(name, order, call) {
      const child = take();
      return child.run(name, order, call).finally(() => rest(child));
    },
    warm: () => rest(start()),
    async close() {
      for (const timer of idle.values()) clearTimeout(timer);
      await Promise.all([...children].map((child) => child.end()));
    },
  };
}
