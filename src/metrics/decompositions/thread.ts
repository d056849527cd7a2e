/** The program of a thread that does one task and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { TASKS } from "./tasks.ts";

/** A task and what it is given. */
export interface Order {
  readonly task: keyof typeof TASKS;
  readonly given: readonly unknown[];
}

const { task, given } = workerData as Order;
parentPort!.postMessage((TASKS[task] as (...given: readonly unknown[]) => unknown)(...given));
