/**
 * Makes the pictures of docs/screenshots of a service that knows the demo: `npm run demo`, `npx collapsar serve`, then
 * `node test/dashboard/screenshots.ts http://localhost:8080`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import sharp from "sharp";
import type { RunMetrics } from "../../src/api/contract.ts";
import { serviceAt } from "../../src/commands/connection.ts";
import { startChromium } from "../servers/chromium.ts";

const FOLDER = fileURLToPath(new URL("../../docs/screenshots", import.meta.url));

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly colorScheme: "light" | "dark";
  readonly viewport: { readonly width: number; readonly height: number };
  /** What is to be at the top. */
  readonly below?: string;
}

const [service = "http://localhost:8080"] = process.argv.slice(2);
const browser = await startChromium();
if (!browser) throw new Error("there is no Chromium");
const { metrics } = await serviceAt(service).request<RunMetrics>("/runs/demo-ce-seed1/metrics");
const evaluation = `/ui/evaluations/${metrics.at(-1)!.evaluation}`;
const desktop = { width: 1180, height: 900 };
const pictures: readonly Picture[] = [
  { name: "experiment-light", path: "/ui/experiments/demo", colorScheme: "light", viewport: desktop },
  { name: "experiment-dark", path: "/ui/experiments/demo?seeds=1", colorScheme: "dark", viewport: desktop },
  { name: "evaluation", path: evaluation, colorScheme: "light", viewport: desktop, below: "#detection" },
  {
    name: "phone",
    path: "/ui/experiments/demo",
    colorScheme: "dark",
    viewport: { width: 390, height: 844 },
    below: "#trajectories",
  },
];
await mkdir(FOLDER, { recursive: true });
for (const { name, path, below, ...options } of pictures) {
  const page = await browser.newPage({ ...options, baseURL: service });
  await page.goto(path);
  await page.waitForSelector(".drawing .plot");
  await page.waitForLoadState("networkidle");
  if (below) await scrollTo(page, below);
  const image = sharp(await page.screenshot());
  await image.png({ palette: true, colours: 128, effort: 10 }).toFile(join(FOLDER, `${name}.png`));
  await page.close();
}
await browser.close();

async function scrollTo(page: Page, selector: string): Promise<void> {
  await page.locator(selector).evaluate((element) => window.scrollBy(0, element.getBoundingClientRect().top - 20));
}
