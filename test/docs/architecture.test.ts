import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = join(ROOT, "src");

it("docs/architecture.md draws every stage, and no arrow without an import", () => {
  const picture = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
  const arrows = [...picture.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} --> ${to}`);
  const entries = readdirSync(SOURCE, { withFileTypes: true });
  const stages = entries.filter((entry) => entry.isDirectory() && entry.name !== "dashboard").map(({ name }) => name);
  expect(stages.filter((stage) => !arrows.join(" ").includes(stage))).toEqual([]);
  expect(arrows.filter((arrow) => !imports().has(arrow))).toEqual([]);
});

function imports(): Set<string> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const arrows = files.flatMap((file) => {
    const specifiers = readFileSync(join(SOURCE, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
    return [...specifiers].map(([, specifier]) => {
      const target = relative(SOURCE, join(SOURCE, dirname(file), specifier!));
      return `${file.split("/")[0]} --> ${target.split("/")[0]}`;
    });
  });
  return new Set(arrows);
}
