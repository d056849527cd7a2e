import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { PROGRAM } from "./program.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Prints the packages that `args` make the program load. */
const TRACE = `
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({ resolve(specifier, context, next) {
    const found = next(specifier, context);
    const name = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url);
    if (name) packages.add(name[1]);
    return found;
  } });
  const { main } = await import(process.argv[1]);
  process.stdout.write = () => true;
  process.stderr.write = () => true;
  const code = await main(process.argv.slice(2));
  require("node:fs").writeSync(1, JSON.stringify({ code, packages: [...packages] }));
`.replace("require(", "process.getBuiltinModule(");

const COMMANDS = [
  "serve",
  "worker",
  "migrate",
  "evaluate",
  "extract",
  "metrics",
  "convert",
  "push",
  "runs",
  "evaluations",
];
const MORE = ["aggregate", "compare", "correlate", "export", "token", "open", "doctor", "completion"];

it.each<[line: string, expected: number]>([
  ["--version", 0],
  ["--help", 0],
  ["evaluat", 2],
  ...[...COMMANDS, ...MORE].map((name) => [`${name} --no-such-option`, 2] as [string, number]),
])("nothing but the parser of options is loaded for: %s", async (line, expected) => {
  const args = ["--input-type=module", "-e", TRACE, pathToFileURL(MAIN).href, ...line.split(" ")];
  const { stdout } = await run(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ code: expected, packages: ["commander"] });
});

it("ends without a word where nobody reads on, as with head", async () => {
  const program = spawn(process.execPath, [PROGRAM, "completion", "bash"], { stdio: ["ignore", "pipe", "pipe"] });
  program.stdout.destroy();
  const complaint = program.stderr.toArray();
  const [code] = await once(program, "close");
  expect({ code, complaint: Buffer.concat(await complaint).toString() }).toEqual({ code: 0, complaint: "" });
});
