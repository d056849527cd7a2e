import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { ENVIRONMENT } from "../../src/environment.ts";

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");
const operations = read("docs/operations.md");

/** Returns what stands between backticks in the first column of the tables of a section. */
function firstColumn(section: string): string[] {
  const text = operations.split(/^## /m).find((part) => part.startsWith(`${section}\n`))!;
  return [...text.matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
  );
}

it("tells every environment variable, as --help does", () => {
  const parsed = [...read("src/config.ts").matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name!);
  expect(parsed.length).toBeGreaterThan(12);
  expect(parsed.filter((name) => !(name in ENVIRONMENT))).toEqual([]);
  expect(firstColumn("Configuration").sort()).toEqual(Object.keys(ENVIRONMENT).sort());
});

it("says of every error code what to do", () => {
  const table = /const HTTP_STATUS = \{(.*?)\} as const/s.exec(read("src/errors.ts"))![1]!;
  const codes = [...table.matchAll(/^ {2}"?([a-z-]+)"?: \d+,/gm)].map(([, code]) => code!);
  expect(codes.length).toBeGreaterThan(30);
  expect(firstColumn("Troubleshooting").sort()).toEqual(codes.sort());
});

it("says of every alert what to do", () => {
  const { groups } = parse(read("deploy/prometheus/alerts.yaml")) as { groups: { rules: { alert: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect(firstColumn("Metrics and alerts")).toEqual(alerts);
});
