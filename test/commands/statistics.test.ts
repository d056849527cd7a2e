import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/database/open.ts";
import { emptyFolder } from "../api/samples.ts";
import { evaluated } from "../database/samples.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const GMM = "auroc:mnist:gmm";

let home: string;
let service: RunningService;

/** NC1 and AUROC after each of two epochs, by group and seed; NC has no third value of the AUROC. */
const RUNS: Record<string, [nc1: number, auroc: number | null][][]> = {
  ce: [
    [
      [0.9, 0.8],
      [0.5, 0.9],
    ],
    [
      [0.8, 0.81],
      [0.4, 0.91],
    ],
    [
      [0.85, 0.83],
      [0.45, 0.87],
    ],
  ],
  nc: [
    [
      [0.3, 0.95],
      [0.1, 0.97],
    ],
    [
      [0.35, 0.94],
      [0.2, 0.99],
    ],
    [
      [0.4, 0.93],
      [0.15, null],
    ],
  ],
};

beforeAll(async () => {
  home = await emptyFolder();
  const database = await openDatabase({ home, databaseUrl: null }, "collapsar test");
  for (const [group, runs] of Object.entries(RUNS)) {
    for (const [i, epochs] of runs.entries()) {
      for (const [e, [nc1, auroc]] of epochs.entries()) {
        const run = { id: `${group}-${i + 1}`, experiment: "two", group, seed: i + 1 };
        const values = { nc1, ...(auroc !== null && { [GMM]: auroc }) };
        const omitted = { ...(auroc === null && { [GMM]: "a covariance cannot be factored" }) };
        await evaluated(database, { run, epoch: e + 1, protocol: "0123456789abcdef", values, omitted });
      }
    }
  }
  await database.close();
  service = await serve(readConfig({ COLLAPSAR_HOME: home, PORT: "0" }));
});
afterAll(async () => {
  await service.stop();
  await rm(home, { recursive: true });
});

/** Runs the program, which asks the service that holds the database of `home`. */
function collapsar(...args: string[]): Promise<string> {
  const { DATABASE_URL: _, ...env } = process.env;
  const options = { cwd: home, env: { ...env, COLLAPSAR_HOME: home } };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}

describe("collapsar aggregate", () => {
  it("prints mean ± interval per group, states smaller n, and names who is missing and why", async () => {
    expect(await collapsar("aggregate")).toBe(`digits (protocol 01234567)
metric             ce n=3 epoch 2       nc n=3 epoch 2
──────────────────────────────────────────────────────
nc1              0.45   ± 0.1242   0.15 ± 0.1242
${GMM}  0.8933 ± 0.05171  0.98 ± 0.1271 (n=2)
nc-3 of nc has no ${GMM}: a covariance cannot be factored
`);
  });

  it("takes the best epoch, and prints every epoch on a line of its own", async () => {
    const best = JSON.parse(await collapsar("aggregate", "--epoch", "best:nc1:max", "--metrics", "nc1", "--json"));
    expect(best.rows).toMatchObject([
      { group: "ce", epochs: [1], mean: 0.85 },
      { group: "nc", epochs: [1] },
    ]);
    const all = await collapsar("aggregate", "--epoch", "all", "--metrics", "nc1");
    expect(all).toMatch(/nc1, epoch 1 +0\.85 ± \S+ +0\.35 ± /);
    expect(all).toMatch(/nc1, epoch 2 +0\.45 ± \S+ +0\.15 ± /);
  });

  it("keeps the order in which metrics are asked for, and refuses one that does not exist", async () => {
    const lines = (await collapsar("compare", "ce", "nc", "--metrics", `${GMM},nc1`)).split("\n");
    expect(lines.slice(3, 5).map((line) => line.split(" ")[0])).toEqual([GMM, "nc1"]);
    const refusal = /there is no metric "auroc:mnist", expected a name such as nc1, .*invalid-request/;
    await expect(collapsar("aggregate", "--metrics", "nc1,auroc:mnist")).rejects.toThrow(refusal);
    await expect(collapsar("compare", "ce", "nc", "--metrics", "auroc:mnist")).rejects.toThrow(refusal);
    await expect(collapsar("correlate", "nc1", "auroc:mnist")).rejects.toThrow(refusal);
  });

  it("refuses an epoch that means nothing", async () => {
    await expect(collapsar("aggregate", "--epoch", "best")).rejects.toThrow("epoch: expected last");
  });
});

describe("collapsar compare", () => {
  it("prints each group, the difference, p-values after Holm and Hedges' g", async () => {
    const text = await collapsar("compare", "ce", "nc", "--metrics", "nc1");
    const [part, heading, , row] = text.split("\n");
    expect(part).toBe("digits (protocol 01234567)");
    expect(text).toContain("p two-sided, after Holm's correction over all rows");
    expect(heading).toMatch(/^metric +ce +nc +ce − nc +p Welch +pairs +p paired t +p Wilcoxon +Hedges' g$/);
    expect(row).toMatch(/^nc1 +0\.45 ± 0\.1242 \(n=3\) +0\.15 ± 0\.1242 \(n=3\) +0\.3 ± \S+ +\S+ +3 +\S+ +0\.25 +\S+$/);
  });

  it("says who is missing and which tests could not be made", async () => {
    const text = await collapsar("compare", "ce", "nc", "--by", "group", "--epoch", "2");
    expect(text).toContain(`nc-3 of nc has no ${GMM}: a covariance cannot be factored`);
    expect(await collapsar("compare", "1", "2", "--by", "seed", "--metrics", "nc1")).toContain(
      "no paired t test of nc1: fewer than 2 pairs",
    );
    await expect(collapsar("compare", "ce", "none")).rejects.toThrow('has group "none"');
  });

  it("prints CSV and JSON at full precision", async () => {
    const { rows } = JSON.parse(await collapsar("compare", "ce", "nc", "--metrics", "nc1", "--json"));
    const csv = await collapsar("compare", "ce", "nc", "--metrics", "nc1", "--csv");
    expect(csv.split("\n")[1]).toContain(`,${rows[0].welch.p},`);
  });
});

describe("collapsar correlate", () => {
  it("prints both coefficients with their intervals, over all runs and per group", async () => {
    const text = await collapsar("correlate", "nc1", GMM);
    expect(text).toMatch(new RegExp(`^nc1 and ${GMM} on digits \\(protocol 01234567\\)\\n`));
    expect(text).toMatch(/^all runs +5 +-0\.\d+ +\[\S+, \S+\] +\S+ +-0\.\d+ +\[\S+, \S+\] +\S+$/m);
    expect(text).toMatch(/^nc +2 +– +– +– +–$/m);
    expect(text).toContain("no coefficient over nc: fewer than 3 pairs");
    expect(text).toContain(`nc-3 of nc has no ${GMM}: a covariance cannot be factored`);
    const { rows } = JSON.parse(await collapsar("correlate", "nc1", GMM, "--epoch", "1", "--json"));
    expect(rows[0].points).toHaveLength(6);
  });
});
