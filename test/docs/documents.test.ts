import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPython } from "../servers/python.ts";
import { type Block, blocksOf } from "./blocks.ts";
import { openPlace, type Place } from "./place.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const python = findPython();

const documents = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, blocks: blocksOf(readFileSync(join(ROOT, name), "utf8")) }));

it("knows the fences of a document", () => {
  const text = "```sh\na\n```\n```ts no-test: needs b\nc\n```\n```json\n{}\n```\n";
  expect(blocksOf(text)).toEqual([
    { language: "sh", text: "a\n", line: 1, skipped: null },
    { language: "ts", text: "c\n", line: 4, skipped: "needs b" },
  ]);
  expect(() => blocksOf("```sh no-test\na\n```\n")).toThrow("line 1: expected no-test: REASON");
});

describe.each(documents.filter(({ blocks }) => blocks.some(isRun)))("$name", ({ blocks }) => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace();
  });
  afterAll(() => place.close());

  it.each(blocks.filter(isRun))("runs its block at line $line", async ({ language, text }) => {
    const { folder, env, service } = place;
    const program = text.replaceAll("localhost:8080", new URL(service).host);
    const file = join(folder, `block.${language === "python" ? "py" : language}`);
    await writeFile(file, program);
    const [command, ...args] = {
      sh: ["bash", "-euo", "pipefail", file],
      ts: [process.execPath, file],
      python: [python ?? "", file],
    }[language];
    await run(command!, args, { cwd: folder, env }).catch(({ message, stdout }) => {
      throw new Error(`${message}${stdout}`); // curl prints there why it was refused
    });
  });
});

function isRun({ language, skipped }: Block): boolean {
  return skipped === null && (language !== "python" || python !== null);
}
