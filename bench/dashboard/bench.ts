import { serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/database/open.ts";
import { fillTenThousandRuns, SIZE } from "../../test/dashboard/fill.ts";
import { startChromium } from "../../test/servers/chromium.ts";
import { onPostgres, type Place } from "../onPostgres.ts";
import { formatSpread } from "../spread.ts";
import { type Asked, askAll } from "./api.ts";
import { type Brushed, brushCharts, type Feeling } from "./brush.ts";
import { type FirstPage, openFirstPage } from "./firstPage.ts";
import { type Opening, openLargest } from "./opening.ts";

/** What is promised. */
const BOUNDS = {
  usableMilliseconds: 1500,
  gzipBytes: 300_000,
  answerMilliseconds: 200,
  longTaskMilliseconds: 50,
} as const;

interface Measured {
  readonly api: readonly Asked[];
  readonly firstPage: FirstPage;
  readonly largest: readonly Opening[];
  readonly brushed: readonly Brushed[];
}

/**
 * Measures the dashboard over 10,000 runs on PostgreSQL: every question that its views ask of the API, its first page in a
 * browser without a cache, the page of its largest experiment with each of its answers, and the pointer and a brush over its
 * charts of 350 epochs. Prints all and writes the results.
 */
export function benchDashboard({ out }: { readonly out: string }): Promise<void> {
  return onPostgres(out, measure);
}

async function measure({ folder, url }: Place): Promise<object> {
  const browser = await startChromium();
  if (!browser) throw new Error("this bench needs Chromium");
  try {
    const database = await openDatabase({ home: folder, databaseUrl: url }, "bench");
    console.error("filling PostgreSQL");
    await fillTenThousandRuns(database).finally(() => database.close());
    const service = await serve(readConfig({ DATABASE_URL: url, COLLAPSAR_HOME: folder, PORT: "0" }), {
      worker: false,
    });
    try {
      const measured = {
        api: await askAll(service),
        firstPage: await openFirstPage(browser, service.url),
        largest: await openLargest(browser, service.url),
        brushed: await brushCharts(browser, service.url),
      };
      print(measured);
      return { chromium: browser.version(), size: SIZE, bounds: BOUNDS, ...measured };
    } finally {
      await service.stop();
    }
  } finally {
    await browser.close();
  }
}

function print({ api, firstPage, largest, brushed }: Measured): void {
  console.log("\nmilliseconds of an answer, median (least–most)");
  for (const { question, bytes, milliseconds } of api)
    console.log(
      `  ${question.padEnd(32)} ${formatSpread(milliseconds, 0).padStart(16)} ${(bytes / 1000).toFixed(0).padStart(6)} kB ${held(milliseconds.median, BOUNDS.answerMilliseconds)}`,
    );
  const { usableMilliseconds: usable, gzipBytes } = firstPage;
  console.log(`\nfirst page without a cache
  usable after ${formatSpread(usable, 0)} ms ${held(usable.median, BOUNDS.usableMilliseconds)}
  transferred  ${(gzipBytes / 1000).toFixed(0)} kB ${held(gzipBytes, BOUNDS.gzipBytes)}`);
  for (const { seeds, firstChartMilliseconds, completeMilliseconds, slowestAnswerMilliseconds: slowest } of largest)
    console.log(`\npage of the largest experiment without a cache, ${shown(seeds)}
  first chart drawn       ${formatSpread(firstChartMilliseconds, 0)} ms
  all drawn               ${formatSpread(completeMilliseconds, 0)} ms
  slowest of its answers  ${formatSpread(slowest, 0)} ms ${held(slowest.median, BOUNDS.answerMilliseconds)}`);
  for (const { seeds, pointer, drawn, zoomMilliseconds, zoom } of brushed)
    console.log(`\ncharts of 350 epochs, ${shown(seeds)}
  pointer over a chart    ${told(pointer)}
  brush drawn             ${told(drawn)}
  let go until all zoomed ${zoomMilliseconds.toFixed(0)} ms, longest task ${zoom.longestTaskMilliseconds.toFixed(0)} ms ${held(zoom.longestTaskMilliseconds, BOUNDS.longTaskMilliseconds)}`);
}

function shown(seeds: boolean): string {
  return seeds ? "with a line of each of 90 seeds" : "means and bands";
}

function told({ frameMilliseconds, longTasks, longestTaskMilliseconds: longest }: Feeling): string {
  return `frames of ${formatSpread(frameMilliseconds, 0)} ms, ${longTasks} long tasks ${held(longest, BOUNDS.longTaskMilliseconds)}`;
}

function held(value: number, bound: number): string {
  if (value <= bound) return "";
  process.exitCode = 1;
  return `MISSED: ${bound} was promised`;
}
