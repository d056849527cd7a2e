import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));

/** The stages in the order in which data flow; a stage may import itself and earlier ones. Same line: not each other. */
const STAGES = [
  ["errors", "version", "environment", "temporaryFolder"],
  ["config", "logging"],
  ["telemetry"],
  ["storage"],
  ["checkpoints", "statistics"],
  ["metrics"],
  ["networks", "datasets"],
  ["engines"],
  ["training", "database"],
  ["evaluation"],
  ["jobs"],
  ["api"],
  ["client", "dashboard"],
  ["commands"],
  ["main"],
];

/** Packages that only these stages may import: what is heavy or native is loaded where it is needed, nowhere else. */
const OWNERS: Record<string, string[]> = {
  "onnxruntime-node": ["engines", "metrics"],
  "@tensorflow/tfjs-core": ["engines", "training"],
  "@tensorflow/tfjs-backend-wasm": ["engines", "training"],
  "@aws-sdk/client-s3": ["storage"],
  "@electric-sql/pglite": ["database"],
  pg: ["database"],
  "pg-boss": ["jobs"],
  hono: ["api", "client"],
  "@opentelemetry/api": ["telemetry"],
  commander: ["commands", "main"],
  preact: ["dashboard"],
  "@observablehq/plot": ["dashboard"],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly target: string;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
const stageOf = (file: string) => file.split("/")[0]!.replace(/\.tsx?$/, "");
const levelOf = (stage: string) => STAGES.findIndex((stages) => stages.includes(stage));

function importsOf(file: string): { specifier: string; file: string }[] {
  const text = readFileSync(resolve(SOURCE, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, specifier]) => ({ specifier: specifier!, file }));
}

const all = files.flatMap(importsOf);
const internal: Import[] = all
  .filter(({ specifier }) => specifier.startsWith("."))
  .map(({ specifier, file }) => {
    const target = relative(SOURCE, resolve(SOURCE, dirname(file), specifier));
    return { file, from: stageOf(file), to: stageOf(target), target };
  });

describe("the house", () => {
  it("has only stages that have a place in the order", () => {
    expect([...new Set(files.map(stageOf))].filter((stage) => levelOf(stage) < 0)).toEqual([]);
  });

  it("imports only from the own stage and from earlier ones", () => {
    expect(internal.length).toBeGreaterThan(50);
    const wrong = internal.filter(({ from, to }) => from !== to && levelOf(to) >= levelOf(from));
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(OWNERS))("loads %s only in %j", (name, owners) => {
    const users = all.filter(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`));
    expect(users.filter(({ file }) => !owners.includes(stageOf(file)))).toEqual([]);
  });

  it("lets the dashboard take of the other stages their types alone, and the names of the metrics", () => {
    const dashboard = internal.filter(({ from, to }) => from === "dashboard" && to !== "dashboard");
    expect(dashboard.length).toBeGreaterThan(10);
    const values = dashboard.filter(({ file, target }) => {
      const text = readFileSync(resolve(SOURCE, file), "utf8");
      const end = target.split("/").slice(-2).join("/");
      return target !== "metrics/names.ts" && !new RegExp(`import type [^;]*/${end}"`).test(text);
    });
    expect(values).toEqual([]);
  });

  it("keeps files short enough to be read in one sitting", () => {
    const long = files.filter((file) => readFileSync(resolve(SOURCE, file), "utf8").split("\n").length > 300);
    expect(long).toEqual([]);
  });

  it("says of every exported function what it returns", () => {
    const silent = files.flatMap((file) => {
      const lines = readFileSync(resolve(SOURCE, file), "utf8").split("\n");
      return lines.flatMap((line, i) =>
        /^export (default )?(async )?function/.test(line) && !/\*\/\s*$/.test(lines[i - 1] ?? "")
          ? [`${file}:${i + 1}`]
          : [],
      );
    });
    expect(silent).toEqual([]);
  });
});
