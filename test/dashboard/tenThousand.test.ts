import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Aggregate, EvaluationList, RunList, RunMetrics } from "../../src/api/contract.ts";
import type { ExperimentList, Trajectories } from "../../src/api/experimentSchemas.ts";
import { formatMean, formatNumber } from "../../src/dashboard/format.ts";
import { rowLabelOf } from "../../src/dashboard/metricSections.ts";
import { openDatabase } from "../../src/database/open.ts";
import { startChromium } from "../servers/chromium.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { cellsOf, eventually, queryOf, visit } from "./browse.ts";
import { type Dashboard, openDashboard } from "./dashboard.ts";
import { examine } from "./examine.ts";
import { fillTenThousandRuns, SIZE } from "./fill.ts";
import { readChart } from "./readChart.ts";
import { rowsOf, shownRows } from "./views/experiments.ts";

const [browser, server] = await Promise.all([startChromium(), startPostgres()]);
const STUDY = SIZE.study.name;
const NC1 = "NC1 variability ↓";

describe.runIf(browser && server)("the dashboard over 10,000 runs on PostgreSQL", { timeout: 240_000 }, () => {
  let dashboard: Dashboard;
  const ask = <T>(path: string) => dashboard.api.request<T>(path);

  beforeAll(async () => {
    const databaseUrl = await freshDatabase(server!);
    const database = await openDatabase({ home: "", databaseUrl }, "collapsar test");
    await fillTenThousandRuns(database);
    await database.close();
    dashboard = await openDashboard(browser!, { env: { DATABASE_URL: databaseUrl }, worker: false });
  }, 300_000);
  afterAll(async () => {
    await dashboard?.close();
    await browser!.close();
    await server!.stop();
  });

  it("lists the experiments page by page as the API has them, and axe finds nothing", async () => {
    await visit(dashboard, "/?sort=name", async (page) => {
      const first = await ask<ExperimentList>("/experiments?sort=name");
      await eventually(() => shownRows(page)).toEqual(rowsOf(first));
      await examine(page, "experiments-10000");
      await page.getByRole("button", { name: "Next page" }).click();
      const next = await ask<ExperimentList>(`/experiments?sort=name&cursor=${first.next}`);
      await eventually(() => shownRows(page)).toEqual(rowsOf(next));
      expect(first.items.length + next.items.length).toBe(40);
      await page.goBack();
      await eventually(() => shownRows(page)).toEqual(rowsOf(first));
      await page.getByLabel("Search").fill("sweep-07");
      await eventually(async () => (await shownRows(page))[0]![0]).toBe("fashion-sweep-07");
      await page.getByLabel("Group by").selectOption("arch");
      const byLabel = await ask<ExperimentList>("/experiments?sort=name&q=sweep-07&by=arch");
      await eventually(() => shownRows(page)).toEqual(rowsOf(byLabel));
    });
  });

  it("draws 350 epochs of 90 runs, with a line of each seed, and zooms all charts by a brush", async () => {
    await visit(dashboard, `/ui/experiments/${STUDY}`, async (page) => {
      const pointsOf = async (title: string) =>
        (await readChart(page, title, { logarithmic: true })).lines[0]?.points.length;
      await eventually(() => pointsOf(NC1)).toBe(SIZE.study.epochs);
      const { rows } = await ask<Trajectories>(`/experiments/${STUDY}/trajectories?metrics=nc1`);
      const { lines } = await readChart(page, NC1, { logarithmic: true });
      expect(lines).toHaveLength(SIZE.study.groups);
      for (const [i, { mean }] of rows.entries())
        for (const epoch of [0, 174, 349]) expect(lines[i]!.points[epoch]![1] / mean[epoch]! - 1).toBeCloseTo(0, 1);
      await page.getByLabel("Each seed").check();
      await eventually(async () => (await readChart(page, NC1, { logarithmic: true })).lines.length).toBe(
        SIZE.study.groups * (SIZE.study.seeds + 1),
      );
      const overlay = page.getByRole("figure", { name: NC1, exact: true }).locator(".brush .overlay");
      const { x, y, width, height } = (await overlay.boundingBox())!;
      await page.mouse.move(x + width * 0.5, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width * 0.75, y + height / 2, { steps: 8 });
      await page.mouse.up();
      await eventually(() => Number(queryOf(page).from)).toBeGreaterThan(150);
      const { from, to } = queryOf(page);
      for (const title of [NC1, "NC3 self-duality ↓"])
        await eventually(() => pointsOf(title)).toBe(Number(to) - Number(from) + 1);
      await examine(page, "experiment-10000");
    });
  });

  it("asks for what takes the service long one after the other", async () => {
    await visit(dashboard, "/", async (page) => {
      const heavy = /\/(trajectories|aggregate|compare|correlations)\?/;
      let under = 0;
      const most: number[] = [];
      page.on("request", (request) => heavy.test(request.url()) && most.push(++under));
      page.on("requestfinished", (request) => heavy.test(request.url()) && under--);
      await page.goto(`/ui/experiments/${STUDY}`);
      await eventually(() => page.locator("figure circle").count()).toBe(SIZE.study.groups * SIZE.study.seeds);
      expect(most).toEqual(Array.from({ length: 13 }, () => 1)); // 10 charts, 2 tables, the correlation
    });
  });

  it("has the pointer touch what lies over the charts, and nothing of the lines of 90 seeds below", async () => {
    await visit(dashboard, `/ui/experiments/${STUDY}?seeds=1`, async (page) => {
      const { rows } = await ask<Trajectories>(`/experiments/${STUDY}/trajectories?metrics=nc1`);
      await eventually(() => page.locator(".drawing .over").count()).toBe(10);
      await page.evaluate(() => {
        const touched = { count: 0 };
        Object.assign(window, { touched });
        const observer = new MutationObserver((changes) => {
          touched.count += changes.length;
        });
        for (const chart of document.querySelectorAll(".drawing .plot"))
          observer.observe(chart, { subtree: true, childList: true, attributes: true, characterData: true });
      });
      const overlay = page.getByRole("figure", { name: NC1, exact: true }).locator(".brush .overlay");
      const { x, y, width, height } = (await overlay.boundingBox())!;
      await page.mouse.move(x + 1, y + height / 2);
      await page.mouse.move(x + width - 1, y + height / 2, { steps: 20 });
      const readout = page.getByRole("figure", { name: NC1, exact: true }).locator(".readout tspan");
      await eventually(async () => Number((await readout.allTextContents())[0]?.slice(6))).toBeGreaterThan(345);
      const [heading, ...told] = await readout.allTextContents();
      const at = rows[0]!.epochs.indexOf(Number(heading!.slice(6)));
      expect(told).toEqual(
        rows.map(({ group, mean, low, high }) => `${group} ${formatMean(mean[at]!, low[at], high[at])}`),
      );
      await page.mouse.down();
      await page.mouse.move(x + width / 2, y + height / 2, { steps: 8 });
      await eventually(() => page.locator(".brush .selection[width]").count()).toBe(1);
      expect(await page.evaluate(() => (window as unknown as { touched: { count: number } }).touched.count)).toBe(0);
    });
  });

  it("sums up the groups of a sweep, and shows each of 255 runs against another metric", async () => {
    const sweep = "cifar10-sweep-05";
    await visit(dashboard, `/ui/experiments/${sweep}?groups=ce,nc`, async (page) => {
      const { rows } = await ask<Aggregate>(`/aggregate?experiment=${sweep}&metrics=nc1`);
      const cells = ["ce", "nc"].map((group) => {
        const { mean, ci95 } = rows.find((row) => row.group === group)!;
        return formatMean(mean, ci95?.[0], ci95?.[1]);
      });
      await eventually(() => cellsOf(page, /^Mean ±/)).toContainEqual([rowLabelOf("nc1"), ...cells]);
      await page.getByRole("button", { name: "Show all 17" }).click();
      await eventually(() => page.locator("figure circle").count()).toBe(SIZE.others.groups * SIZE.others.seeds);
    });
  });

  it("pages through 10,000 runs, finds one, and shows its 350 checkpoints", async () => {
    await visit(dashboard, "/ui/runs", async (page) => {
      const ids = async () => (await cellsOf(page, "Runs in order of id")).map(([id]) => id);
      const first = await ask<RunList>("/runs");
      await eventually(ids).toEqual(first.items.map(({ id }) => id));
      await page.getByRole("button", { name: "Next page" }).click();
      const next = await ask<RunList>(`/runs?cursor=${first.next}`);
      await eventually(ids).toEqual(next.items.map(({ id }) => id));
      await page.getByLabel("Search").fill(`${STUDY}-nc-l2-seed09`);
      await eventually(ids).toEqual([`${STUDY}-nc-l2-seed09`]);
      await page.getByRole("link", { name: `${STUDY}-nc-l2-seed09` }).click();
      const caption = `7 of ${SIZE.study.epochs} checkpoints`;
      const { metrics } = await ask<RunMetrics>(`/runs/${STUDY}-nc-l2-seed09/metrics`);
      const last = formatNumber(metrics.at(-1)!.values.nc1);
      await eventually(async () => (await cellsOf(page, caption))[0]?.at(-1)).toBe(last);
      await eventually(async () => (await readChart(page, NC1, { logarithmic: true })).lines[0]?.points.length).toBe(
        350,
      );
    });
  });

  it("has a queue of hundreds page by page, filtered by experiment", async () => {
    await visit(dashboard, "/ui/queue", async (page) => {
      const failed = async () => (await cellsOf(page, "Failed evaluations")).length;
      await eventually(failed).toBe(25);
      const { running, queued } = SIZE.unfinished;
      await eventually(async () => (await cellsOf(page, "Running evaluations")).length).toBe(running);
      await eventually(async () => (await cellsOf(page, "Waiting evaluations")).length).toBe(Math.min(25, queued));
      expect((await cellsOf(page, "Running evaluations"))[0]![2]).toBe("train 43 %");
      await examine(page, "queue-10000");
      const section = page.getByRole("region", { name: "Failed" });
      for (const rest of [25, 10]) {
        await section.getByRole("button", { name: "Next page" }).click();
        await eventually(failed).toBe(rest);
      }
      await page.getByLabel("Experiment", { exact: true }).fill(STUDY);
      await page.keyboard.press("Tab");
      const done = await ask<EvaluationList>(`/evaluations?experiment=${STUDY}&status=succeeded&limit=10`);
      await eventually(async () => (await cellsOf(page, "Done last evaluations")).map(([, , run]) => run)).toEqual(
        done.items.map(({ run }) => run),
      );
    });
  });
});
