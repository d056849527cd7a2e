import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { ExperimentList } from "../../../src/api/experimentSchemas.ts";
import { formatMean, formatNumber } from "../../../src/dashboard/format.ts";
import { alsoReloaded, cellsOf, eventually, queryOf, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { EXPERIMENT } from "../recorded.ts";

/** What the page must show of a list: of each experiment its row, then one of each group (dataset and protocol). */
export function rowsOf({ items }: ExperimentList, mostGroups = 6): string[][] {
  return items.flatMap(({ experiment, runs, seeds, groups }) => [
    [experiment ?? "(runs of no experiment)", String(runs), String(seeds)],
    ...groups
      .slice(0, mostGroups)
      .flatMap((group) =>
        group.values.map((value, i) => [
          ...(i === 0 ? [group.group ?? "(none)", String(group.runs), String(group.seeds)] : ["", "", ""]),
          ...[String(value.n), formatMean(value.mean, value.ci95?.[0], value.ci95?.[1]), formatNumber(value.sd)],
          `${value.dataset} · ${value.protocol.slice(0, 8)}`,
        ]),
      ),
  ]);
}

/** Returns the same of the page; of an experiment's own row what is not of its groups. */
export async function shownRows(page: Page): Promise<string[][]> {
  const rows = (await cellsOf(page, "Experiments")).filter(([, ...rest]) => rest.some((cell) => cell !== ""));
  return rows.map((cells) => (cells.length < 9 ? cells.slice(0, 3) : [...cells.slice(0, 6), cells[7]!]));
}

/** The list of experiments over the recorded evaluations. */
export function experimentsView(open: () => Dashboard): void {
  const list = (query = "") => open().api.request<ExperimentList>(`/experiments${query}`);
  const names = async (page: Page) => page.locator(".experiment-row th").allTextContents();

  describe("experiments", () => {
    it("are shown with their groups, n and spread as the API has them, and axe finds nothing", async () => {
      await visit(open(), "/", async (page) => {
        await eventually(() => shownRows(page)).toEqual(rowsOf(await list()));
        const spread = page.locator(".group-row svg.spread");
        const [first] = (await list()).items.flatMap(({ groups }) => groups.flatMap(({ values }) => values));
        const { n, min, max } = first!;
        const label = `n ${n}, from ${formatNumber(min)} to ${formatNumber(max)}`;
        expect(await spread.first().getAttribute("aria-label")).toBe(label);
        expect(await page.title()).toBe("Experiments · Collapsar");
        await examine(page, "experiments");
      });
    });

    it("are found by what is typed, the address keeps it, and nothing found says what to do", async () => {
      await visit(open(), "/", async (page) => {
        await eventually(() => names(page)).toContain("baseline");
        await page.keyboard.press("/");
        await page.keyboard.type("COSINE");
        await eventually(() => names(page)).toEqual([EXPERIMENT]);
        await eventually(() => queryOf(page)).toEqual({ q: "COSINE" });
        await page.reload();
        await eventually(() => names(page)).toEqual([EXPERIMENT]);
        await page.getByLabel("Search").fill("no such thing");
        await eventually(() => page.locator(".empty").textContent()).toContain("Nothing matches “no such thing”");
        await examine(page, "experiments-none");
        await page.getByLabel("Search").fill("");
        await eventually(() => names(page)).toHaveLength(2);
      });
    });

    it("are sorted in every way that there is", async () => {
      await visit(open(), "/", async (page) => {
        const sort = page.getByLabel("Sort");
        await eventually(() => sort.locator("option").count()).toBe(6);
        const ways = await sort
          .locator("option")
          .evaluateAll((found) => found.map((o) => (o as HTMLOptionElement).value));
        for (const way of ways) {
          await sort.selectOption(way);
          const { items } = await list(`?sort=${way}`);
          await eventually(() => names(page)).toEqual(items.map(({ experiment }) => experiment));
        }
      });
    });

    it("are grouped by a label and summed up over another metric, by address too, and back undoes it", async () => {
      await visit(open(), "/", async (page) => {
        await page.getByLabel("Group by").selectOption("schedule");
        await eventually(() => shownRows(page)).toEqual(rowsOf(await list("?by=schedule")));
        await page.getByLabel("Metric").selectOption("accuracy");
        const both = rowsOf(await list("?by=schedule&metric=accuracy"));
        await alsoReloaded(page, () => eventually(() => shownRows(page)).toEqual(both));
        expect(queryOf(page)).toEqual({ by: "schedule", metric: "accuracy" });
        await page.goBack();
        await eventually(() => shownRows(page)).toEqual(rowsOf(await list("?by=schedule")));
        await page.goBack();
        await eventually(() => shownRows(page)).toEqual(rowsOf(await list()));
      });
    });

    it("lead to the experiment and to the runs of a group, with the keyboard alone", async () => {
      await visit(open(), "/", async (page) => {
        await eventually(() => names(page)).toHaveLength(2);
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter"); // "Skip to content"
        expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
        await page.getByRole("link", { name: EXPERIMENT, exact: true }).focus();
        await page.keyboard.press("Enter");
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe(EXPERIMENT);
        await page.goBack();
        await eventually(() => names(page)).toHaveLength(2);
        await page.getByRole("link", { name: "nc", exact: true }).focus();
        await page.keyboard.press("Enter");
        await eventually(() => new URL(page.url()).pathname).toBe("/ui/runs");
        expect(queryOf(page)).toEqual({ experiment: EXPERIMENT, group: "nc" });
      });
    });

    it("are light or dark as is chosen, and stay so", async () => {
      await visit(open(), "/", async (page) => {
        const colour = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        const light = await colour();
        await page.getByLabel("Theme").selectOption("dark");
        const dark = await colour();
        expect(dark).not.toBe(light);
        await page.reload();
        await eventually(colour).toBe(dark);
        await page.emulateMedia({ colorScheme: "light" });
        expect(await colour()).toBe(dark);
        await page.getByLabel("Theme").selectOption("system");
        expect(await colour()).toBe(light);
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await colour()).toBe(dark);
      });
    });
  });
}
