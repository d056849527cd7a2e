import { afterAll, beforeAll, describe } from "vitest";
import { startChromium } from "../servers/chromium.ts";
import { type Dashboard, openDashboard } from "./dashboard.ts";
import { record } from "./recorded.ts";
import { evaluationView } from "./views/evaluation.ts";
import { experimentView } from "./views/experiment.ts";
import { experimentsView } from "./views/experiments.ts";
import { exportedCharts } from "./views/exports.ts";
import { progressView } from "./views/progress.ts";
import { queueView } from "./views/queue.ts";
import { runsView } from "./views/runs.ts";
import { submitView } from "./views/submit.ts";

const browser = await startChromium();

describe.runIf(browser)("the dashboard over evaluations of trained networks", { timeout: 240_000 }, () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await openDashboard(browser!);
    await record(dashboard);
  }, 600_000);
  afterAll(async () => {
    await dashboard?.close();
    await browser!.close();
  });

  experimentsView(() => dashboard);
  experimentView(() => dashboard);
  exportedCharts(() => dashboard);
  runsView(() => dashboard);
  evaluationView(() => dashboard);
  progressView(() => dashboard);
  queueView(() => dashboard);
  submitView(() => dashboard);
});
