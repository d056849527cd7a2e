import { Counter, collectDefaultMetrics, Histogram, Registry } from "@prometheus-io/client";
import { attemptEnded, cacheAsked, imagesDone, stageEnded } from "./events.ts";

/** What is measured of this process, from when this file is first loaded. */
export const registry = new Registry();

/** Of the metrics that `collectDefaultMetrics` adds: CPU, memory, event loop, garbage collection. */
collectDefaultMetrics({ register: registry });

const registers = [registry];

/** A `Prefer: wait=N` holds its request for as long as that. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a file of a few MB to an evaluation of a million images. */
const STAGE_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000];

/** HTTP requests, by the pattern of their path. */
export const requestSeconds = new Histogram({
  name: "collapsar_http_request_duration_seconds",
  help: "Time from a request to the head of its answer",
  labelNames: ["method", "route", "status"],
  buckets: REQUEST_SECONDS,
  registers,
});

const stageSeconds = new Histogram({
  name: "collapsar_stage_duration_seconds",
  help: "Time of the stages of evaluations: download, open, features, metrics, record",
  labelNames: ["stage"],
  buckets: STAGE_SECONDS,
  registers,
});

const images = new Counter({
  name: "collapsar_images_total",
  help: "Images that have gone through a network",
  registers,
});

const attempts = new Counter({
  name: "collapsar_attempts_total",
  help: "Attempts at jobs that have ended: done, failed (code: of the error), stopped (goes on elsewhere, or unwanted)",
  labelNames: ["outcome", "code"],
  registers,
});

const cache = new Counter({
  name: "collapsar_cache_requests_total",
  help: "What was looked for in the cache, objects of stores and features of sets: hit or miss",
  labelNames: ["kind", "result"],
  registers,
});

stageEnded.hear(({ stage, seconds }) => stageSeconds.observe({ stage }, seconds));
imagesDone.hear((done) => images.inc(done.images));
attemptEnded.hear((attempt) => attempts.inc(attempt));
cacheAsked.hear(({ kind, found }) => cache.inc({ kind, result: found ? "hit" : "miss" }));
