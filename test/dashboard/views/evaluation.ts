import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { EvaluationResource, RunMetrics } from "../../../src/api/contract.ts";
import type { EvaluationDetails } from "../../../src/api/detailsSchema.ts";
import { formatNumber } from "../../../src/dashboard/format.ts";
import { rowLabelOf } from "../../../src/dashboard/metricSections.ts";
import { alsoReloaded, cellsOf, eventually, queryOf, saved, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { readChart } from "../readChart.ts";
import { EPOCHS, runOf } from "../recorded.ts";

const SET = "fashion-sample";

/** One ended evaluation: its curves, bins, matrices and numbers. */
export function evaluationView(open: () => Dashboard): void {
  const ask = <T>(path: string) => open().api.request<T>(path);
  const last = async () => {
    const { metrics } = await ask<RunMetrics>(`/runs/${runOf("ce", 1)}/metrics`);
    const id = metrics.at(-1)!.evaluation;
    const [evaluation, details] = await Promise.all([
      ask<EvaluationResource>(`/evaluations/${id}`),
      ask<EvaluationDetails>(`/evaluations/${id}/details`),
    ]);
    return { id, evaluation, details, collapse: details.collapse!, ood: details.ood![SET]! };
  };
  /** The line that is drawn in the colour of its score; behind it are those of the others. */
  const chosen = async (page: Page, title: string) =>
    (await readChart(page, title)).lines.find(({ stroke }) => /--group/.test(stroke))?.points ?? [];

  describe("an evaluation", () => {
    it("says where its numbers come from and has every one of them, and axe finds nothing", async () => {
      const { id, evaluation, details } = await last();
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        const numbers = Object.entries(evaluation.values);
        await eventually(async () => (await cellsOf(page, "Metrics")).length).toBe(numbers.length);
        const shown = new Map((await cellsOf(page, "Metrics")).map(([label, name, value]) => [name, [label, value]]));
        for (const [name, value] of numbers) expect(shown.get(name)).toEqual([rowLabelOf(name), formatNumber(value)]);
        const facts = await page.locator("dl.facts").first().textContent();
        for (const fact of [evaluation.checkpoint.url, evaluation.checkpoint.sha256, id, "digits:test"])
          expect(facts).toContain(fact);
        for (const [name, reason] of Object.entries(evaluation.omitted)) {
          expect(name).not.toBe("");
          expect(await page.locator(".lacks").textContent()).toContain(reason);
        }
        await page.getByText("Protocol and times").click();
        await eventually(() => page.locator("details pre").textContent()).toContain("onnxruntime");
        await eventually(() => page.locator(".drawing .plot").count()).toBe(
          3 + 3 + Object.keys(details.calibration!).length,
        );
        await examine(page, "evaluation");
      });
    });

    it("draws ROC and precision-recall curves of the API, and another score's when it is chosen", async () => {
      const { id, evaluation, ood } = await last();
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        await eventually(async () => (await chosen(page, `ROC, ${SET}`)).length).toBe(ood.gmm!.roc.fpr.length);
        for (const score of ["gmm", "energy"]) {
          await page.getByRole("combobox", { name: "Score", exact: true }).selectOption(score);
          await alsoReloaded(page, () =>
            eventually(async () => (await chosen(page, `ROC, ${SET}`)).length).toBe(ood[score]!.roc.fpr.length),
          );
          const { roc, pr_ood } = ood[score]!;
          for (const [title, x, y] of [
            [`ROC, ${SET}`, roc.fpr, roc.tpr],
            [`Precision and recall, ${SET}`, pr_ood.recall, pr_ood.precision],
          ] as const) {
            const points = await chosen(page, title);
            expect(points).toHaveLength(x.length);
            for (const [i, point] of points.entries()) {
              expect(point[0]).toBeCloseTo(x[i]!, 2);
              expect(point[1]).toBeCloseTo(y[i]!, 2);
            }
          }
        }
        expect(queryOf(page)).toEqual({ score: "energy" });
        const table = await cellsOf(page, `Scores against ${SET}`);
        for (const [score, auroc] of table)
          expect(auroc).toBe(formatNumber(evaluation.values[`auroc:${SET}:${score}`]));
        expect(table.map(([score]) => score).sort()).toEqual(Object.keys(ood).sort());
      });
    });

    it("draws the histogram of a score over both sets", async () => {
      const { id, ood } = await last();
      const { lower, upper, id: inside, ood: outside } = ood.gmm!.histogram!;
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        const bars = page.getByRole("figure", { name: "gmm in and out" }).locator('[class="rect"]');
        await eventually(() => bars.count()).toBe(2);
        for (const [i, counts] of [inside, outside].entries()) {
          const heights = await bars
            .nth(i)
            .locator("rect")
            .evaluateAll((all) => all.map((one) => Number(one.getAttribute("height"))));
          expect(heights).toHaveLength(counts.length);
          const [most, total] = [Math.max(...heights), Math.max(...counts)];
          for (const [k, count] of counts.entries()) expect(heights[k]! / most).toBeCloseTo(count / total, 6);
        }
        const { lines } = await readChart(page, "gmm in and out");
        expect(lines[0]!.points[0]![0]).toBeCloseTo(lower, 0);
        expect(lines[0]!.points.at(-1)![0]).toBeLessThanOrEqual(upper);
        expect(
          await page
            .getByRole("figure", { name: "gmm in and out" })
            .locator("text", { hasText: /^test set$/ })
            .count(),
        ).toBe(1);
      });
    });

    it("draws the cosines between classes, the variance within each, and the reliability of each calibration", async () => {
      const { id, collapse, details } = await last();
      const { classes, cosines_means, within_class_variance, between_class_square } = collapse;
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        const cells = page.getByRole("figure", { name: "Cosines of class means" }).locator('[class="cell"] rect');
        await eventually(() => cells.count()).toBe(classes * (classes - 1));
        const titles = await cells.locator("title").allTextContents();
        const told = Array.from({ length: classes ** 2 }, (_, i) => [Math.floor(i / classes), i % classes] as const)
          .filter(([row, column]) => row !== column)
          .map(([row, column]) => {
            const cosine = cosines_means![row * classes + column]!;
            return `classes ${row} and ${column}: ${cosine.toFixed(4)}, ${(cosine + 1 / (classes - 1)).toFixed(4)} from the simplex`;
          });
        expect(titles).toEqual(told);
        const bars = page
          .getByRole("figure", { name: "Variance within each class" })
          .locator('[class="bar"] rect title');
        await eventually(() => bars.allTextContents()).toEqual(
          within_class_variance.map(
            (variance, label) => `class ${label}: ${(variance / between_class_square[label]!).toPrecision(4)}`,
          ),
        );
        for (const [when, { bins, temperature }] of Object.entries(details.calibration!)) {
          const title = { before: "before temperature scaling", after_nll_optimum: "after it, at the least NLL" }[when];
          const name = `Reliability ${title ?? "after it, on DDU's grid"}`;
          const filled = bins.filter(({ count }) => count > 0);
          await eventually(async () => (await readChart(page, name)).dots.length).toBe(filled.length);
          const { dots } = await readChart(page, name);
          for (const [i, { confidence, accuracy }] of filled.entries()) {
            expect(dots[i]![0]).toBeCloseTo(confidence!, 2);
            expect(dots[i]![1]).toBeCloseTo(accuracy!, 2);
          }
          const note = await page.getByRole("figure", { name }).locator(".note").textContent();
          expect(note).toBe(`T = ${formatNumber(temperature)}, 2000 samples`);
        }
      });
    });

    it("saves its charts and its numbers", async () => {
      const { id, evaluation } = await last();
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        const roc = await saved(page, page.getByRole("button", { name: `Save ROC, ${SET} as SVG` }));
        expect(roc.name).toBe(`${id}-${SET}-roc.svg`);
        expect(roc.bytes.toString()).toMatch(/true positive rate/);
        const cosines = await saved(page, page.getByRole("button", { name: "Save Cosines of class means as PNG" }));
        expect(cosines.bytes.subarray(1, 4).toString()).toBe("PNG");
        const { bytes } = await saved(page, page.getByRole("button", { name: "Save Metrics as CSV" }));
        const lines = bytes
          .toString()
          .trimEnd()
          .split("\n")
          .slice(1)
          .map((line) => line.split(","));
        expect(Object.fromEntries(lines.map(([, name, value]) => [name, Number(value)]))).toEqual(evaluation.values);
      });
    });

    it("leads to its run", async () => {
      const { metrics } = await ask<RunMetrics>("/runs/baseline-1/metrics");
      expect(metrics.map(({ epoch }) => epoch)).toEqual([EPOCHS[0]]);
      await visit(open(), `/ui/evaluations/${metrics[0]!.evaluation}`, async (page) => {
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("baseline-1, epoch 1");
        await page.locator(".trail").getByRole("link", { name: "baseline-1" }).click();
        await eventually(() => new URL(page.url()).pathname).toBe("/ui/runs/baseline-1");
      });
    });
  });
}
