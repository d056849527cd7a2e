import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Aggregate, Comparison, Correlations } from "../../../src/api/contract.ts";
import type { Trajectories } from "../../../src/api/experimentSchemas.ts";
import { formatInterval, formatMean, formatNumber, formatP } from "../../../src/dashboard/format.ts";
import { COLLAPSE_METRICS, rowLabelOf } from "../../../src/dashboard/metricSections.ts";
import { alsoReloaded, cellsOf, eventually, inTheEnd, queryOf, saved, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { type Point, readChart } from "../readChart.ts";
import { EPOCHS, EXPERIMENT, GROUPS, runOf, SEEDS } from "../recorded.ts";

const PATH = `/ui/experiments/${EXPERIMENT}`;
const NC1 = "NC1 variability ↓";
const ACCURACY = "test accuracy ↑";
const AUROC = "auroc:fashion-sample:gmm";

/** Expects points to be those, as near as a third of a pixel. */
function expectPoints(found: readonly Point[], expected: readonly Point[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, [x, y]] of expected.entries()) {
    expect(found[i]![0]).toBeCloseTo(x, 1);
    expect(Math.abs(found[i]![1] / y - 1), `${found[i]![1]} for ${y}`).toBeLessThan(0.01);
  }
}

/** One experiment over the recorded evaluations. */
export function experimentView(open: () => Dashboard): void {
  const ask = <T>(path: string) => open().api.request<T>(path);
  const trajectory = async (metric: string, group: string) => {
    const { rows } = await ask<Trajectories>(`/experiments/${EXPERIMENT}/trajectories?metrics=${metric}&seeds=true`);
    return rows.find((row) => row.group === group)!;
  };
  const charts = (page: Page) => page.getByRole("figure");
  const atFirst = COLLAPSE_METRICS.length + 2;

  describe("an experiment", () => {
    it("shows NC1 to NC4 over the epochs with the means of the API and a band per group, and axe finds nothing", async () => {
      await visit(open(), PATH, async (page) => {
        await eventually(() => charts(page).locator(".plot").count()).toBe(atFirst + 1); // and the scatter
        for (const [title, metric, logarithmic] of [
          [NC1, "nc1", true],
          ["NC3 self-duality ↓", "nc3", true],
          [ACCURACY, "accuracy", false],
        ] as const) {
          const { lines, bands } = await readChart(page, title, { logarithmic });
          expect([lines.length, bands]).toEqual([GROUPS.length, GROUPS.length]);
          for (const [i, group] of GROUPS.entries()) {
            const { epochs, mean } = await trajectory(metric, group);
            expect(lines[i]!.stroke).toBe(`var(--group-${i})`);
            expectPoints(
              lines[i]!.points,
              mean.map((value, e) => [epochs[e]!, value]),
            );
          }
        }
        await examine(page, "experiment");
      });
    });

    it("draws a line of each seed on demand", async () => {
      await visit(open(), PATH, async (page) => {
        await eventually(() => charts(page).locator(".plot").count()).toBe(atFirst + 1);
        await page.getByLabel("Each seed").check();
        await alsoReloaded(page, () =>
          eventually(async () => (await readChart(page, NC1, { logarithmic: true })).lines.length).toBe(
            GROUPS.length * (1 + SEEDS.length),
          ),
        );
        const { lines } = await readChart(page, NC1, { logarithmic: true });
        for (const { values, seed } of (await trajectory("nc1", "nc")).seeds!) {
          const own = lines.filter(({ stroke }) => stroke === "var(--group-1)")[seed! - 1]!;
          expectPoints(
            own.points,
            values.map((value, e) => [EPOCHS[e]!, value!]),
          );
        }
        await page.getByLabel("Each seed").uncheck();
        await eventually(() => queryOf(page)).toEqual({});
      });
    });

    it("has a logarithmic scale and a linear one", async () => {
      await visit(open(), PATH, async (page) => {
        await eventually(() => charts(page).locator(".plot").count()).toBe(atFirst + 1);
        await page.getByLabel("Log scale").uncheck();
        await eventually(() => queryOf(page)).toEqual({ log: "0" });
        await alsoReloaded(page, async () => {
          await eventually(() => charts(page).locator(".plot").count()).toBe(atFirst + 1);
          const { mean } = await trajectory("nc1", "ce");
          await inTheEnd(async () => {
            const { ticks, lines } = await readChart(page, NC1);
            const steps = ticks.y.map(Number);
            expect(steps[1]! - steps[0]!).toBeCloseTo(steps.at(-1)! - steps.at(-2)!, 6);
            expectPoints(
              lines[0]!.points,
              mean.map((y, e) => [EPOCHS[e]!, y]),
            );
          });
        });
      });
    });

    it("is zoomed in every chart by drawing over one, and shows all epochs again on a double click", async () => {
      await visit(open(), PATH, async (page) => {
        const epochsOf = async (title: string) =>
          (await readChart(page, title)).lines[0]?.points.map(([x]) => Math.round(x));
        await eventually(() => epochsOf(ACCURACY)).toEqual(EPOCHS);
        const overlay = page.getByRole("figure", { name: NC1, exact: true }).locator(".brush .overlay");
        const { x, y, width, height } = (await overlay.boundingBox())!;
        await page.mouse.move(x + width * 0.3, y + height / 2);
        await page.mouse.down();
        await page.mouse.move(x + width * 0.7, y + height / 2, { steps: 4 });
        await page.mouse.move(x + width - 1, y + height / 2, { steps: 4 });
        await page.mouse.up();
        await eventually(() => queryOf(page)).toEqual({ from: "2", to: "3" });
        await alsoReloaded(page, async () => {
          for (const title of [ACCURACY, NC1]) await eventually(() => epochsOf(title)).toEqual([2, 3]);
        });
        await page.goBack();
        await eventually(() => epochsOf(ACCURACY)).toEqual(EPOCHS);
        await page.goForward();
        await eventually(() => epochsOf(ACCURACY)).toEqual([2, 3]);
        await overlay.dblclick();
        await eventually(() => epochsOf(ACCURACY)).toEqual(EPOCHS);
        await page.getByLabel("From epoch").fill("2");
        await page.keyboard.press("Tab");
        await eventually(() => epochsOf(ACCURACY)).toEqual([2, 3]);
        await page.getByRole("button", { name: "All epochs" }).click();
        await eventually(() => epochsOf(ACCURACY)).toEqual(EPOCHS);
      });
    });

    it("tells in every chart what the groups are at the epoch below the pointer", async () => {
      await visit(open(), PATH, async (page) => {
        await eventually(() => charts(page).locator(".plot").count()).toBe(atFirst + 1);
        const overlay = page.getByRole("figure", { name: NC1, exact: true }).locator(".brush .overlay");
        const { width, height } = (await overlay.boundingBox())!;
        await overlay.hover({ position: { x: width / 2, y: height / 2 } });
        for (const [title, metric] of [
          [NC1, "nc1"],
          [ACCURACY, "accuracy"],
        ] as const) {
          const rows = await Promise.all(GROUPS.map((group) => trajectory(metric, group)));
          const told = rows.map(({ group, mean, low, high }) => `${group} ${formatMean(mean[1]!, low[1], high[1])}`);
          const readout = page.getByRole("figure", { name: title, exact: true }).locator(".readout tspan");
          await eventually(() => readout.allTextContents()).toEqual(["epoch 2", ...told]);
        }
      });
    });

    it("takes groups out of the charts and puts them back, and adds a chart of any metric", async () => {
      await visit(open(), PATH, async (page) => {
        const strokes = async (title: string) => (await readChart(page, title)).lines.map(({ stroke }) => stroke);
        await eventually(() => strokes(ACCURACY)).toEqual(["var(--group-0)", "var(--group-1)"]);
        await page.getByRole("button", { name: "ce n 3", exact: true }).click();
        await alsoReloaded(page, () => eventually(() => strokes(ACCURACY)).toEqual(["var(--group-1)"]));
        expect(queryOf(page)).toEqual({ groups: "nc" });
        await page.getByRole("button", { name: "Show all 2" }).click();
        await eventually(() => strokes(ACCURACY)).toHaveLength(2);
        await page.getByLabel("Add a chart of").selectOption("brier");
        await eventually(() => strokes("Brier score ↓")).toHaveLength(2);
        await page.getByRole("button", { name: "Charts as at first" }).click();
        await eventually(() => charts(page).count()).toBe(atFirst + 1);
      });
    });

    it("has every number of its groups, grouped by any label, at any epoch, saved as CSV and LaTeX", async () => {
      await visit(open(), PATH, async (page) => {
        const caption = "Mean ± half of the 95 % interval, last epoch";
        const { rows } = await ask<Aggregate>(`/aggregate?experiment=${EXPERIMENT}`);
        const of = (metric: string, group: string) => rows.find((row) => row.metric === metric && row.group === group)!;
        const cells = (metric: string) =>
          GROUPS.map((group) => of(metric, group)).map(({ mean, ci95 }) => formatMean(mean, ci95?.[0], ci95?.[1]));
        const shown = () => cellsOf(page, caption);
        await eventually(shown).toContainEqual([rowLabelOf("nc1"), ...cells("nc1")]);
        for (const metric of ["nc3", "accuracy", "ece", AUROC])
          expect(await shown()).toContainEqual([rowLabelOf(metric), ...cells(metric)]);

        const csv = await saved(page, page.getByRole("button", { name: `Save ${caption} as CSV` }));
        expect(csv.name).toBe(`${EXPERIMENT}-groups.csv`);
        const [heading, ...lines] = csv.bytes.toString().trimEnd().split("\n");
        expect(heading).toBe("Metric,ce mean,ce low,ce high,ce n,nc mean,nc low,nc high,nc n");
        expect(lines).toHaveLength((await shown()).length);
        const nc1 = GROUPS.map((group) => of("nc1", group)).flatMap(({ mean, ci95, n }) => [mean, ...ci95!, n]);
        expect(lines[0]!.split(",")).toEqual(["nc1", ...nc1.map(String)]);

        const latex = (
          await saved(page, page.getByRole("button", { name: `Save ${caption} as LaTeX` }))
        ).bytes.toString();
        expect(latex).toContain("\\begin{tabular}{lrr}\n  \\toprule\n  Metric & ce & nc \\\\\n  \\midrule\n");
        expect(latex).toContain("  \\multicolumn{3}{l}{\\textit{Out of distribution: fashion-sample}} \\\\\n");
        const cell = (text: string) => text.replace(" ± ", " $\\pm$ ");
        expect(latex).toContain(
          `NC1 variability collapse $\\downarrow$ & ${cells("nc1").map(cell).join(" & ")} \\\\\n`,
        );

        await page.getByLabel("Group by").selectOption("schedule");
        await page.getByLabel("Epoch of tables").selectOption("best:nc1");
        const { rows: best } = await ask<Aggregate>(
          `/aggregate?experiment=${EXPERIMENT}&by=schedule&epoch=best:nc1&metrics=nc1`,
        );
        const bests = best.map(({ mean, ci95 }) => formatMean(mean, ci95?.[0], ci95?.[1]));
        await eventually(() => cellsOf(page, /^Mean ±/)).toContainEqual([rowLabelOf("nc1"), ...bests]);
        expect(queryOf(page)).toEqual({ by: "schedule", epoch: "best:nc1" });
        await page.getByLabel("All metrics in tables").check();
        await eventually(async () => (await cellsOf(page, /^Mean ±/)).map(([name]) => name)).toContain(
          rowLabelOf("gnc2_log_means"),
        );
      });
    });

    it("tests groups against each other as the API does", async () => {
      await visit(open(), PATH, async (page) => {
        const metrics = async () => (await cellsOf(page, /^ce against nc$/)).length;
        await eventually(metrics).toBeGreaterThan(8);
        const shown = await cellsOf(page, /^ce against nc$/);
        const csv = await saved(page, page.getByRole("button", { name: "Save ce against nc as CSV" }));
        const lines = csv.bytes
          .toString()
          .trimEnd()
          .split("\n")
          .map((line) => line.split(","));
        const all = lines.slice(1).map(([metric]) => metric!);
        const { rows } = await ask<Comparison>(`/compare?experiment=${EXPERIMENT}&a=ce&b=nc&metrics=${all.join(",")}`);
        const mean = ({ mean, ci95, n }: Comparison["rows"][number]["a"]) =>
          `${formatMean(mean, ci95?.[0], ci95?.[1])} (n ${n})`;
        const p = ({ pHolm }: { pHolm: number | null }) =>
          `${pHolm !== null && pHolm < 0.05 ? "● " : ""}${formatP(pHolm)}`;
        for (const [i, metric] of all.entries()) {
          const { a, b, welch, paired, wilcoxon, hedges } = rows.find((row) => row.metric === metric)!;
          expect(shown[i]).toEqual([
            ...[rowLabelOf(metric), mean(a), mean(b), formatNumber(welch.difference), formatInterval(welch.ci95)],
            ...[p(welch), p(paired), p(wilcoxon), `${formatNumber(hedges.g)} ${formatInterval(hedges.ci95)}`],
          ]);
          const numbers = [a.mean, ...a.ci95!, a.n, b.mean, ...b.ci95!, b.n, welch.difference, ...welch.ci95!];
          expect(lines[i + 1]!.slice(1, 12)).toEqual(numbers.map(String));
        }
        await page.getByRole("combobox", { name: "Group b", exact: true }).selectOption("ce");
        await eventually(() => page.getByText("Choose two different groups.").count()).toBe(1);
      });
    });

    it("shows any metric against any other, a point per run that leads there", async () => {
      await visit(open(), PATH, async (page) => {
        for (const [x, y, title] of [
          ["nc1", AUROC, "AUROC, gmm · fashion-sample against NC1 variability"],
          ["nc3", "accuracy", "test accuracy against NC3 self-duality"],
        ] as const) {
          if (x !== "nc1") {
            await page.getByRole("combobox", { name: "x", exact: true }).selectOption(x);
            await page.getByRole("combobox", { name: "y", exact: true }).selectOption(y);
          }
          await page.getByLabel("Log scale").uncheck();
          const { rows } = await ask<Correlations>(`/correlations?experiment=${EXPERIMENT}&x=${x}&y=${y}`);
          const { n, pearson, spearman, points, groups } = rows[0]!;
          await inTheEnd(async () => {
            const { dots } = await readChart(page, title);
            expect(dots).toHaveLength(GROUPS.length * SEEDS.length);
            expectPoints(sorted(dots), sorted(points.map((point) => [point.x, point.y])));
          });
          const note = await page.getByRole("figure", { name: title }).locator(".note").textContent();
          expect(note).toContain(`${n} runs: Pearson r = ${formatNumber(pearson.r)} ${formatInterval(pearson.ci95)}`);
          const shown = await cellsOf(page, "Correlation over runs");
          expect(shown.map(([over, n, r]) => [over, n, r])).toEqual(
            [{ group: "all runs", n, pearson, spearman }, ...groups].map(({ group, n, pearson: { r } }) => [
              ...[group, String(n), formatNumber(r)],
            ]),
          );
        }
        expect(queryOf(page)).toEqual({ x: "nc3", y: "accuracy", log: "0" });
        await page.locator(`a[*|href="/ui/runs/${runOf("nc", 2)}"]`).click();
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe(runOf("nc", 2));
      });
    });
  });
}

function sorted(points: readonly Point[]): Point[] {
  return points.toSorted((a, b) => a[0] - b[0]);
}
