import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { RunList, RunMetrics } from "../../../src/api/contract.ts";
import { formatNumber } from "../../../src/dashboard/format.ts";
import { rowLabelOf } from "../../../src/dashboard/metricSections.ts";
import { alsoReloaded, cellsOf, eventually, inTheEnd, queryOf, saved, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { readChart } from "../readChart.ts";
import { EPOCHS, EXPERIMENT, runOf } from "../recorded.ts";

/** The list of runs and one run over the recorded evaluations. */
export function runsView(open: () => Dashboard): void {
  const list = (query = "") => open().api.request<RunList>(`/runs${query}`);
  const rows = (page: Page) => cellsOf(page, "Runs in order of id");
  const ids = async (page: Page) => (await rows(page)).map(([id]) => id);

  describe("runs", () => {
    it("are listed as the API has them, and axe finds nothing", async () => {
      await visit(open(), "/ui/runs", async (page) => {
        const { items } = await list();
        await eventually(async () => (await rows(page)).map((cells) => cells.slice(0, 7))).toEqual(
          items.map(({ id, experiment, group, seed, labels, checkpoints, lastEpoch }) => [
            ...[id, experiment, group, String(seed)],
            ...[
              Object.entries(labels)
                .map((label) => label.join("="))
                .join(""),
              String(checkpoints),
              String(lastEpoch),
            ],
          ]),
        );
        await examine(page, "runs");
      });
    });

    it("are searched, restricted by address, sorted by a heading, and saved in that order", async () => {
      await visit(open(), `/ui/runs?experiment=${EXPERIMENT}&group=nc`, async (page) => {
        await alsoReloaded(page, () => eventually(() => ids(page)).toEqual([1, 2, 3].map((seed) => runOf("nc", seed))));
        await page.getByRole("button", { name: "Show every group, not nc alone" }).click();
        await eventually(async () => (await ids(page)).length).toBe(6);
        expect(queryOf(page)).toEqual({ experiment: EXPERIMENT });
        await page.getByLabel("Search").fill("cosine");
        await eventually(() => ids(page)).toEqual([runOf("ce", 2), runOf("nc", 2)]);
        const heading = page.getByRole("columnheader", { name: "Run" });
        await heading.getByRole("button").press("Enter");
        await heading.getByRole("button").press("Enter");
        expect(await heading.getAttribute("aria-sort")).toBe("descending");
        expect(await ids(page)).toEqual([runOf("nc", 2), runOf("ce", 2)]);
        const { bytes } = await saved(page, page.getByRole("button", { name: "Save Runs in order of id as CSV" }));
        expect(
          bytes
            .toString()
            .split("\n")
            .slice(1, 3)
            .map((line) => line.split(",")[0]),
        ).toEqual(await ids(page));
        await page.getByLabel("Search").fill("nothing like this");
        await eventually(() => page.locator(".empty h2").textContent()).toBe("No run matches");
      });
    });
  });

  describe("a run", () => {
    const id = runOf("nc", 3);
    const metrics = async () => (await open().api.request<RunMetrics>(`/runs/${id}/metrics`)).metrics;

    it("shows every metric over its checkpoints as the API has it, where they come from, and axe finds nothing", async () => {
      await visit(open(), `/ui/runs/${id}`, async (page) => {
        const recorded = await metrics();
        const cells = (name: string) => recorded.map(({ values }) => formatNumber(values[name]));
        await eventually(() => cellsOf(page, "Every checkpoint")).toContainEqual([
          rowLabelOf("nc1"),
          "",
          ...cells("nc1"),
        ]);
        const facts = await page.locator("dl.facts").textContent();
        for (const fact of [EXPERIMENT, "nc", "3", "schedule=step"]) expect(facts).toContain(fact);
        await page.getByLabel(/^All \d+ metrics$/).check();
        const all = [...new Set(recorded.flatMap(({ values }) => Object.keys(values)))];
        await eventually(async () => (await cellsOf(page, "Every checkpoint")).length).toBe(all.length);
        const shown = await cellsOf(page, "Every checkpoint");
        for (const name of ["accuracy", "ece", "nc1_cdnv", "val_nll"])
          expect(shown).toContainEqual([rowLabelOf(name), "", ...cells(name)]);
        const sources = await cellsOf(page, "Where the numbers come from");
        expect(sources).toEqual(
          recorded.map(({ evaluation, epoch, dataset, checkpoint: { sha256, url } }) => [
            ...[evaluation, String(epoch), dataset, sha256.slice(0, 8), url],
          ]),
        );
        await examine(page, "run");
      });
    });

    it("is drawn over the epochs, zoomed by address, saved with all its numbers, and leads to its evaluations", async () => {
      await visit(open(), `/ui/runs/${id}`, async (page) => {
        const recorded = await metrics();
        const title = "NC1 variability ↓";
        await page.getByLabel("Log scale").uncheck();
        await inTheEnd(async () => {
          const { lines } = await readChart(page, title);
          expect(lines).toHaveLength(1);
          for (const [i, [epoch, value]] of lines[0]!.points.entries()) {
            expect(epoch).toBeCloseTo(EPOCHS[i]!, 1);
            expect(Math.abs(value / recorded[i]!.values.nc1! - 1)).toBeLessThan(0.01);
          }
        });
        const { name, bytes } = await saved(page, page.getByRole("button", { name: "All numbers as CSV" }));
        expect(name).toBe(`${id}.csv`);
        expect(bytes.toString()).toBe(await open().api.request(`/runs/${id}/metrics?format=csv`));
        await page.goto(`/ui/runs/${id}?from=2&to=3`);
        await eventually(
          async () => (await readChart(page, title, { logarithmic: true })).lines[0]?.points.length,
        ).toBe(2);
        await page.getByRole("link", { name: recorded[1]!.evaluation }).click();
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe(`${id}, epoch 2`);
        await page.goBack();
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe(id);
      });
    });
  });
}
