import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyFolder } from "../api/samples.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const run = promisify(execFile);

let folder: string;
const built = () => join(folder, "node_modules/collapsar");

/** The package as npm would install it: built, with its dependencies beside it. */
beforeAll(async () => {
  folder = await emptyFolder();
  await mkdir(built(), { recursive: true });
  await run(process.execPath, [TSC, "-p", "tsconfig.build.json", "--outDir", join(built(), "dist")], { cwd: ROOT });
  await writeFile(join(built(), "package.json"), await readFile(join(ROOT, "package.json")));
  await symlink(join(ROOT, "node_modules"), join(built(), "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const OPTIONS = "--noEmit --strict --skipLibCheck --target es2022 --lib es2022,dom --types".split(" ");
const USE = `import { createClient, evaluate, parseResponse } from "collapsar/client";
const client = createClient("http://127.0.0.1:8080");
const { values } = await evaluate(client, { checkpoint: "s3://models/a.safetensors", dataset: "digits" });
const nc1: number | undefined = values.nc1;
const { metrics } = await parseResponse(client.runs[":id"].metrics.$get({ param: { id: "r" }, query: {} }));
console.log(nc1, metrics[0]?.epoch);
`;

async function errorsOf(text: string, ...options: string[]): Promise<string> {
  await writeFile(join(folder, "use.ts"), text);
  const checked = run(process.execPath, [TSC, ...OPTIONS, "", ...options, "use.ts"], { cwd: folder });
  return checked.then(
    () => "",
    ({ stdout }) => stdout,
  );
}

it.each([
  ["Node", ["--module", "nodenext"]],
  ["a bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
])("types its requests and answers for %s", async (_, options) => {
  expect(await errorsOf(USE, ...options)).toBe("");
  const wrong: [was: string, is: string, says: string][] = [
    ["dataset:", "datset:", "'datset' does not exist"],
    ['"digits"', "10", "'number' is not assignable to type 'string'"],
    ["number | undefined", "string", "'number' is not assignable to type 'string'"],
    ["?.epoch", "?.epok", "'epok' does not exist"],
    [".metrics.$get", ".metric.$get", "'metric' does not exist"],
  ];
  for (const [was, is, says] of wrong) expect(await errorsOf(USE.replace(was, is), ...options)).toContain(says);
});

it("loads nothing but Hono's client, so that it may be bundled for a browser", async () => {
  const text = await readFile(join(built(), "dist/client/client.js"), "utf8");
  const imports = [...text.matchAll(/from "([^"]+)"|import\(?\s*"([^"]+)"/g)].map(([, from, bare]) => from ?? bare);
  expect(new Set(imports)).toEqual(new Set(["hono/client"]));
  expect(await run(process.execPath, ["-e", 'import("collapsar/client")'], { cwd: folder })).toMatchObject({
    stderr: "",
  });
});
