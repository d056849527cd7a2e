import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Report } from "./attack.ts";
import { FORMATS } from "./seeds.ts";

/** `npm test` takes a sample; `.ci/run` asks for 10,000 of each format. */
const COUNT = Number(process.env.COLLAPSAR_TEST_HOSTILE ?? 500);
const PROGRAM = fileURLToPath(new URL("attack.ts", import.meta.url));
const MEGABYTE = 2 ** 20;

describe.each(FORMATS)("%s", (format) => {
  it(`${COUNT} broken files are each read or refused with an error of ours, at once and in little memory`, {
    timeout: 900_000,
  }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", PROGRAM, format, String(COUNT)], {
      maxBuffer: 64 * MEGABYTE,
    });
    const report: Report = JSON.parse(stdout.trim().split("\n").at(-1)!);
    console.log(`${format}: ${JSON.stringify({ ...report, failures: report.failures.length })}`);
    expect(report.failures.slice(0, 3)).toEqual([]);
    expect(report.files).toBeGreaterThanOrEqual(COUNT);
    const refused = (report.outcomes["malformed-checkpoint"] ?? 0) + (report.outcomes["malformed-dataset"] ?? 0);
    expect(refused).toBeGreaterThan(COUNT / 10);
    expect(report.slowestMilliseconds).toBeLessThan(2_000);
    expect(report.memory).toBeLessThan(200 * MEGABYTE);
    expect(report.childMemory).toBeLessThan(200 * MEGABYTE);
  });
});
