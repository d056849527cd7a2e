import type { Browser } from "playwright-core";
import { SIZE } from "../../test/dashboard/fill.ts";
import { type Spread, spread } from "../spread.ts";

const ROUNDS = 7;

/** The page of the largest experiment, opened by a browser that has never been there. */
export interface Opening {
  readonly seeds: boolean;
  /** From the navigation until the first chart is drawn, and until all are and nothing more is awaited. */
  readonly firstChartMilliseconds: Spread;
  readonly completeMilliseconds: Spread;
  /** The slowest answer of each round, from when the browser asked until its last byte. */
  readonly slowestAnswerMilliseconds: Spread;
  /** Tasks of 50 ms or more meanwhile: the longest of all rounds. */
  readonly longestTaskMilliseconds: number;
  /** Milliseconds of each answer, by what was asked. */
  readonly answers: Readonly<Record<string, Spread>>;
}

/** Opens the page of the study, of the means alone and with a line of each of the 90 seeds. */
export async function openLargest(browser: Browser, url: string): Promise<Opening[]> {
  const results = [];
  for (const seeds of [false, true]) {
    const rounds: Round[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const opened = await open(browser, `${url}/ui/experiments/${SIZE.study.name}${seeds ? "?seeds=1" : ""}`);
      if (round > 0) rounds.push(opened); // the first starts the browser's own processes
    }
    const paths = rounds[0]!.answers.map(({ path }) => path);
    const timesOf = (path: string) => rounds.flatMap(({ answers }) => answers.filter((one) => one.path === path));
    results.push({
      seeds,
      firstChartMilliseconds: spread(rounds.map(({ firstChart }) => firstChart)),
      completeMilliseconds: spread(rounds.map(({ complete }) => complete)),
      slowestAnswerMilliseconds: spread(
        rounds.map(({ answers }) => Math.max(...answers.map(({ milliseconds }) => milliseconds))),
      ),
      longestTaskMilliseconds: Math.max(0, ...rounds.flatMap(({ tasks }) => tasks)),
      answers: Object.fromEntries(
        paths.map((path) => [path, spread(timesOf(path).map(({ milliseconds }) => milliseconds))]),
      ),
    });
  }
  return results;
}

interface Round {
  readonly firstChart: number;
  readonly complete: number;
  readonly tasks: readonly number[];
  readonly answers: readonly { readonly path: string; readonly milliseconds: number }[];
}

async function open(browser: Browser, address: string): Promise<Round> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  await page.goto(address);
  const opened = await page.evaluate<Round>(COMPLETE);
  await context.close();
  return opened;
}

/** Runs in the page before anything else: its long tasks from the beginning. */
const WATCH = `{
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask", buffered: true });
}`;

/** Runs in the page: what it took until all charts and tables were painted, by its own clock. */
const COMPLETE = `new Promise((resolve) => {
  let firstChart = null;
  const look = () => {
    const charts = document.querySelectorAll(".drawing .plot").length;
    if (charts > 0) firstChart ??= performance.now();
    const awaited = document.querySelectorAll(".loading, [aria-busy=true]").length;
    if (charts === 0 || awaited > 0 || charts < document.querySelectorAll(".drawing").length)
      return requestAnimationFrame(look);
    setTimeout(() => {
      const answers = performance.getEntriesByType("resource").filter(({ initiatorType }) => initiatorType === "fetch")
        .map(({ name, startTime, responseEnd }) => ({
          path: decodeURIComponent(name.slice(location.origin.length)), milliseconds: responseEnd - startTime,
        }));
      resolve({ firstChart, complete: performance.now(), tasks: window.longTasks, answers });
    });
  };
  look();
})`;
