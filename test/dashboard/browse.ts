import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { expect, vi } from "vitest";
import type { Dashboard } from "./dashboard.ts";

/** For what a machine with other work does late. */
const PATIENCE_MS = 45_000;

/** What a page says of an answer that is not 2xx; which answers there are is for the tests to say. */
const REFUSED = /^Failed to load resource/;

/** Repeats `check` until its expectations hold: for several of one state of the page. */
export function inTheEnd(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 50 });
}

/** Returns an expectation of what `ask` returns in the end. */
export function eventually<T>(ask: () => T | Promise<T>) {
  return expect.poll(ask, { timeout: PATIENCE_MS, interval: 50 });
}

/**
 * Opens `path` of the dashboard in a browser of its own, calls `look`, and expects that the page said no error and asked
 * nothing of any other site. Errors that are `expected` are none.
 */
export async function visit(
  { browser, url }: Pick<Dashboard, "browser" | "url">,
  path: string,
  look: (page: Page) => Promise<void>,
  { expected }: { readonly expected?: RegExp } = {},
): Promise<void> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !REFUSED.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const from = request.url();
    if (!from.startsWith(`${url}/`) && !/^(data|blob):/.test(from)) complaints.push(`asked ${from}`);
  });
  try {
    await page.goto(path);
    await look(page);
  } finally {
    await context.close();
  }
  expect(complaints.filter((complaint) => !expected?.test(complaint))).toEqual([]);
}

/** Returns the texts of a table: of each row that has more than one cell, its cells. */
export async function cellsOf(page: Page, name: string | RegExp): Promise<string[][]> {
  const rows = await page
    .getByRole("table", { name, exact: true })
    .locator("tbody tr")
    .evaluateAll((found) => found.map((row) => [...row.children].map((cell) => cell.textContent!.trim())));
  return rows.filter((cells) => cells.length > 1);
}

/** Presses what saves a file, and returns its name and bytes. */
export async function saved(page: Page, button: Locator): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Returns what the address says after its `?`. */
export function queryOf(page: Page): Record<string, string> {
  return Object.fromEntries(new URL(page.url()).searchParams);
}

/** Expects `check` of the page, and the same after it was opened anew at the address that it has now. */
export async function alsoReloaded(page: Page, check: () => Promise<void>): Promise<void> {
  await check();
  await page.reload();
  await check();
}
