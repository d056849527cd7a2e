import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { eventually } from "./browse.ts";

const DEVICES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const THEMES = ["light", "dark"] as const;

/** Where pictures of the pages go; none are made without it. */
const PICTURES = process.env.COLLAPSAR_SCREENSHOTS;

/**
 * Expects of the page that is shown that axe finds nothing in it, light and dark, on a desktop and on a phone, and that only its
 * tables are wider than the screen. With COLLAPSAR_SCREENSHOTS=FOLDER pictures `name-DEVICE-THEME.png` are made of it.
 */
export async function examine(page: Page, name: string): Promise<void> {
  for (const [device, size] of Object.entries(DEVICES)) {
    await page.setViewportSize(size);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      await settled(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html, target }) => ({ id, html, target })));
      expect(found, `${name}, ${device}, ${colorScheme}`).toEqual([]);
      if (PICTURES) await picture(page, join(PICTURES, `${name}-${device}-${colorScheme}.png`));
    }
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    expect(widths[0], `${name}, ${device}: wider than the screen`).toBeLessThanOrEqual(widths[1]!);
  }
  await page.setViewportSize(DEVICES.desktop);
  await page.emulateMedia({ colorScheme: "light" });
  await settled(page);
}

/** Nothing is awaited, and every chart is as wide as its place. */
async function settled(page: Page): Promise<void> {
  await eventually(() =>
    page.evaluate(() => {
      const fits = (chart: Element) => Math.abs(chart.clientWidth - chart.parentElement!.clientWidth) <= 1;
      const waits = document.querySelectorAll("[aria-busy=true], .loading").length;
      return waits === 0 && [...document.querySelectorAll(".drawing > *")].every(fits);
    }),
  ).toBe(true);
}

async function picture(page: Page, path: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await page.screenshot({ path, fullPage: true });
}
