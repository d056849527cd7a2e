import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { StudyFacts } from "../../scripts/study/facts.ts";
import { CHOICES, EVALUATED, FULL, GROUPS } from "../../scripts/study/plan.ts";
import { encodeRecords, parseRecords, readRecords, type StudyRecord } from "../../scripts/study/records.ts";
import { reportOf } from "../../scripts/study/report.ts";
import { summary } from "../../src/statistics/summary.ts";

const DOCS = fileURLToPath(new URL("../../docs", import.meta.url));
const committed = readFileSync(join(DOCS, "study/study.json"), "utf8");

/** The published records with every value changed by `change`. */
async function changed(change: (record: StudyRecord) => number): Promise<StudyRecord[]> {
  return (await records()).map((record) => ({ ...record, value: change(record) }));
}

const records = () => readRecords(join(DOCS, "study/records.parquet"));
const facts = (): StudyFacts => JSON.parse(committed);

describe("the report of the study", () => {
  it("follows from the committed records to the last byte", async () => {
    const files = await reportOf(await records(), facts());
    expect(files.size).toBe(4);
    for (const [name, content] of files) expect(readFileSync(join(DOCS, name), "utf8"), name).toBe(content);
  });

  it("has 15 seeds of every group, each with all its epochs, and the run on all images", async () => {
    const runs = Map.groupBy(await records(), ({ group, seed }) => `${group} ${seed}`);
    const epochsOf = (group: string, seed: number) => new Set(runs.get(`${group} ${seed}`)?.map(({ epoch }) => epoch));
    for (const group of GROUPS)
      for (let seed = 1; seed <= 15; seed++)
        expect([...epochsOf(group, seed)].sort((a, b) => a - b)).toEqual(EVALUATED);
    expect(runs.size).toBe(GROUPS.length * 15 + 1);
    const full = (await records()).filter(({ group, metric }) => group === FULL && metric === "accuracy");
    expect(full).toHaveLength(1);
    expect(full[0]!.value).toBeGreaterThanOrEqual(0.9);
  });

  it("says the same of records that were written and read once more", async () => {
    const before = await records();
    expect(await parseRecords(encodeRecords(before))).toEqual(before);
  });

  it("turns its verdicts when the numbers of the groups are exchanged", async () => {
    const all = await records();
    const exchanged = all.map((record) => ({ ...record, group: record.group.replace(/^(ce|nc)(?!-)/, other) }));
    const verdicts = async (of: StudyRecord[]) => verdictsOf((await reportOf(of, facts())).get("study.md")!);
    const [before, after] = [await verdicts(all), await verdicts(exchanged)];
    expect(before.length).toBeGreaterThan(10);
    expect(after).toEqual(before.map((verdict) => OPPOSITE[verdict]));
  });

  it("follows the values: another NC1 is another mean in its table", async () => {
    const doubled = await changed(({ metric, value }) => (metric === "nc1" ? 2 * value : value));
    const last = doubled.filter((r) => r.group === "nc" && r.metric === "nc1" && r.epoch === EVALUATED.at(-1));
    const text = (await reportOf(doubled, facts())).get("study.md")!;
    const mean = summary(last.map(({ value }) => value)).mean!;
    expect(text).toContain(`${Number(mean.toPrecision(4))} ±`);
    expect(text).not.toContain("NaN");
  });

  it("says how its design was chosen, and which runs ended early", async () => {
    const stopped = { ...facts(), failed: { "study-nc-seed3": "the loss became NaN" } };
    const text = (await reportOf(await records(), stopped)).get("study.md")!;
    expect(text).toContain(CHOICES);
    expect(text).toContain("study-nc-seed3 ended early: the loss became NaN");
  });
});

const OPPOSITE: Readonly<Record<string, string>> = {
  agrees: "disagrees",
  disagrees: "agrees",
  undecided: "undecided",
};
const other = (loss: string) => (loss === "ce" ? "nc" : "ce");

/** Returns the verdicts of the claim about the losses, in order. */
function verdictsOf(text: string): string[] {
  const [, claim] = /### The NC loss drives([\s\S]*?)\n### /.exec(text)!;
  return [...claim!.matchAll(/ (agrees|disagrees|undecided) \|$/gm)].map(([, verdict]) => verdict!);
}
