import autocannon from "autocannon";
import { median } from "../spread.ts";
import { residentMegabytes } from "./program.ts";

/** Requests a second, over both routes: what a dashboard and a batch of trainings ask for together, several times over. */
const RATE = 100;
const SAMPLE_SECONDS = 5;
/** Of the watch, at its begin: what is made once is made then. */
const WARM_UP = 0.1;

/** What the memory of a service was under load, MB. */
export interface Memory {
  readonly minutes: number;
  readonly perSecond: number;
  /** Median over a tenth of the time, after the first tenth and at the end. */
  readonly begin: number;
  readonly end: number;
  readonly samples: readonly number[];
}

/** Watches the memory of the service `pid` over `minutes` of reading and submitting, prints and returns it. */
export async function watchMemory(pid: number, url: string, checkpoint: string, minutes: number): Promise<Memory> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(Math.round(residentMegabytes(pid) * 10) / 10), SAMPLE_SECONDS * 1000);
  let count = 0;
  const submit = () => {
    count += 1;
    return JSON.stringify({ checkpoint, dataset: "digits:test", run: { id: `memory-${count}`, epoch: count } });
  };
  const headers = { "content-type": "application/json" };
  const read = { method: "GET", path: "/runs/group-1-seed-1/metrics" };
  const result = await autocannon({
    url,
    connections: 4,
    overallRate: RATE,
    duration: minutes * 60,
    requests: [
      ...[read, read, read],
      { method: "POST", path: "/evaluate", headers, setupRequest: (request) => ({ ...request, body: submit() }) },
    ],
  });
  clearInterval(timer);
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed`);
  const tenth = Math.max(1, Math.floor(samples.length * WARM_UP));
  const [begin, end] = [median(samples.slice(tenth, 2 * tenth)), median(samples.slice(-tenth))];
  console.log(
    `\nmemory over ${minutes} min at ${RATE} requests/s: ${begin} MB after a tenth of it, ${end} MB at the end`,
  );
  return { minutes, perSecond: result.requests.average, begin, end, samples };
}
