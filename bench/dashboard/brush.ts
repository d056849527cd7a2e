import type { Browser, Page } from "playwright-core";
import { SIZE } from "../../test/dashboard/fill.ts";
import { type Spread, spread } from "../spread.ts";

const STEPS = 60;

/** What a hand at the mouse feels. */
export interface Feeling {
  /** From one frame to the next. */
  readonly frameMilliseconds: Spread;
  /** Tasks of 50 ms or more, for which the page did not answer. */
  readonly longTasks: number;
  readonly longestTaskMilliseconds: number;
}

/** A brush that is drawn, moved and let go over charts of 350 epochs. */
export interface Brushed {
  readonly seeds: boolean;
  /** The pointer over a chart: its epoch is shown in every one. */
  readonly pointer: Feeling;
  /** A selection drawn from epoch to epoch. */
  readonly drawn: Feeling;
  /** From the release until every chart shows the epochs. */
  readonly zoomMilliseconds: number;
  /** The tasks of that. */
  readonly zoom: Omit<Feeling, "frameMilliseconds">;
}

/** Moves the pointer and a brush over the study's charts, of the means alone and with a line of each of the 90 seeds. */
export async function brushCharts(browser: Browser, url: string): Promise<Brushed[]> {
  const results = [];
  for (const seeds of [false, true]) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${url}/ui/experiments/${SIZE.study.name}${seeds ? "?seeds=1" : ""}`);
    await page.locator(".drawing .plot").nth(10).waitFor();
    await page.waitForLoadState("networkidle");
    results.push({ seeds, ...(await brush(page)) });
    await page.close();
  }
  return results;
}

async function brush(page: Page): Promise<Omit<Brushed, "seeds">> {
  const { x, y, width, height } = (await page.locator(".brush .overlay").first().boundingBox())!;
  const middle = y + height / 2;
  const pointer = await felt(
    page,
    () => page.mouse.move(x + width - 2, middle, { steps: STEPS }),
    () => page.mouse.move(x + 2, middle),
  );
  const drawn = await felt(
    page,
    () => page.mouse.move(x + width * 0.8, middle, { steps: STEPS }),
    async () => {
      await page.mouse.move(x + width * 0.4, middle);
      await page.mouse.down();
    },
  );
  await page.evaluate(WATCH);
  await page.evaluate(REMEMBER);
  const start = performance.now();
  await page.mouse.up();
  await page.evaluate(ZOOMED);
  const zoomMilliseconds = performance.now() - start;
  const { longTasks, longestTaskMilliseconds } = summed(await page.evaluate<Watched>(WATCHED));
  return { pointer, drawn, zoomMilliseconds, zoom: { longTasks, longestTaskMilliseconds } };
}

/** What the page does while `work` goes on, which `prepare` made ready. */
async function felt(page: Page, work: () => Promise<void>, prepare: () => Promise<void>): Promise<Feeling> {
  await prepare();
  await page.evaluate(WATCH);
  await work();
  const watched = await page.evaluate<Watched>(WATCHED);
  return { frameMilliseconds: spread(watched.frames), ...summed(watched) };
}

interface Watched {
  readonly frames: number[];
  readonly tasks: number[];
}

function summed({ tasks }: Watched): Omit<Feeling, "frameMilliseconds"> {
  return { longTasks: tasks.length, longestTaskMilliseconds: Math.max(0, ...tasks) };
}

/** Runs in the page: times between frames, and long tasks, from now on. */
const WATCH = `{
  const watched = { frames: [], tasks: [], on: true };
  watched.observer = new PerformanceObserver((list) => watched.tasks.push(...list.getEntries().map(({ duration }) => duration)));
  watched.observer.observe({ type: "longtask" });
  let last = performance.now();
  const frame = (now) => { watched.frames.push(now - last); last = now; if (watched.on) requestAnimationFrame(frame); };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
  window.watched = watched;
}`;

/** Runs in the page: which overlays the charts over epochs have. */
const REMEMBER = `window.overlays = [...document.querySelectorAll(".drawing .over")]`;

/** Runs in the page (its policy allows no function to be made of a text): until every chart was drawn anew and painted. */
const ZOOMED = `new Promise((resolve) => {
  const look = () => window.overlays.some(({ isConnected }) => isConnected)
    ? requestAnimationFrame(look)
    : requestAnimationFrame(() => setTimeout(resolve));
  look();
})`;

/** Runs in the page: what was watched, after what is still to be told. */
const WATCHED = `new Promise((resolve) => setTimeout(() => {
  const { watched } = window;
  watched.on = false;
  watched.observer.disconnect();
  resolve({ frames: watched.frames, tasks: watched.tasks });
}, 100))`;
