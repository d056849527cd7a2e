import { request } from "node:http";
import type { Browser } from "playwright-core";
import { type Spread, spread } from "../spread.ts";

const ROUNDS = 7;

/** The list of experiments, opened by a browser that has never been there. */
export interface FirstPage {
  /** From the navigation until every row is there and painted. */
  readonly usableMilliseconds: Spread;
  /** All that was asked for until then, compressed by gzip where the service compresses it. */
  readonly gzipBytes: number;
  readonly files: Readonly<Record<string, number>>;
}

/** Opens `/` in browsers without a cache. */
export async function openFirstPage(browser: Browser, url: string): Promise<FirstPage> {
  const times: number[] = [];
  let paths: string[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    paths = [];
    page.on("request", (asked) => paths.push(new URL(asked.url()).pathname + new URL(asked.url()).search));
    await page.goto(url);
    const usable = await page.evaluate<number>(USABLE);
    if (round > 0) times.push(usable); // the first starts the browser's own processes
    await context.close();
  }
  const sizes = await Promise.all(paths.map(async (path) => [path, await gzipSize(url, path)] as const));
  const files = Object.fromEntries(sizes);
  return {
    usableMilliseconds: spread(times),
    gzipBytes: Object.values(files).reduce((sum, size) => sum + size, 0),
    files,
  };
}

/** Runs in the page: milliseconds since the navigation when the rows were painted. */
const USABLE = `new Promise((resolve) => {
  const look = () => document.querySelectorAll(".experiment-row").length > 0
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look);
  look();
})`;

/** Bytes of the body of an answer to who takes gzip. */
function gzipSize(url: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { headers: { "accept-encoding": "gzip" } }, (answer) => {
      let size = 0;
      answer.on("data", (part: Buffer) => {
        size += part.length;
      });
      answer.on("end", () => resolve(size));
    })
      .on("error", reject)
      .end();
  });
}
