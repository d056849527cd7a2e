/**
 * Installs the package as others get it, `npm pack`'s file in an empty folder, and uses it there: metrics, an evaluation by
 * the command line, one by the service, and the dashboard's page with its script; once on each Node.js that is named.
 *
 * node scripts/package.ts [VERSION …]     default: 22 24 (versions of npm's package `node`)
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FIXTURES = ["metrics-two-classes.safetensors", "resnet18-mnist.safetensors"] as const;
const [FEATURES, CHECKPOINT] = FIXTURES;
const NORMALISATION = { mean: "0.1307", std: "0.3081" };
/** As on a machine where nothing of ours is set; ONNX Runtime's CUDA files are not fetched. */
const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME, ONNXRUNTIME_NODE_INSTALL: "skip" };

const run = promisify(execFile);
const versions = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24"];
const work = mkdtempSync(join(tmpdir(), "collapsar-package-"));
try {
  await run("npm", ["pack", "--silent", "--pack-destination", work], { cwd: ROOT });
  const packed = join(work, readdirSync(work).find((name) => name.endsWith(".tgz"))!);
  for (const version of versions) await tryOn(version, packed);
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function tryOn(version: string, packed: string): Promise<void> {
  const folder = join(work, `node-${version}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), "{}");
  for (const file of FIXTURES) copyFileSync(join(ROOT, "test/fixtures/golden", file), join(folder, file));
  await run("npm", ["install", "--silent", packed, `node@${version}`], { cwd: folder, env: ENVIRONMENT });
  const program = ["node_modules/.bin/node", "node_modules/.bin/collapsar"] as const;
  const collapsar = async (...args: string[]) =>
    (await run(program[0], [program[1], ...args], { cwd: folder, env: ENVIRONMENT })).stdout.trim();

  const node = (await run(program[0], ["--version"], { cwd: folder })).stdout.trim();
  console.log(`== Node.js ${node}: collapsar ${await collapsar("--version")}`);
  const metrics = JSON.parse(await collapsar("metrics", FEATURES, "--json"));
  console.log(`metrics: nc1 ${finite(metrics.nc1)}`);
  const network = Object.entries(NORMALISATION).flatMap(([key, value]) => ["--network", `${key}=${value}`]);
  const evaluated = JSON.parse(
    await collapsar("evaluate", CHECKPOINT, "--dataset", "digits:test", ...network, "--json"),
  );
  console.log(`evaluate: nc1 ${finite(evaluated.values.nc1)}`);

  const service = spawn(program[0], [program[1], "serve", "--port", "0"], { cwd: folder, env: ENVIRONMENT });
  try {
    const url = await addressIn(service.stderr);
    service.stderr.resume();
    const submitted = await answer(`${url}/evaluate`, {
      checkpoint: pathToFileURL(join(folder, CHECKPOINT)).href,
      dataset: "digits:validation",
      network: NORMALISATION,
    });
    console.log(`serve: nc1 ${finite(((await submitted.json()) as { values: { nc1: unknown } }).values.nc1)}`);
    const page = await (await answer(`${url}/`)).text();
    const script = page.match(/src="([^"]+\.js)"/)![1]!;
    console.log(`dashboard: ${(await (await answer(url + script)).text()).length} characters of script`);
  } finally {
    service.kill();
    await once(service, "exit");
  }
}

async function addressIn(log: NodeJS.ReadableStream): Promise<string> {
  const seen: string[] = [];
  for await (const line of createInterface({ input: log })) {
    const address = line.match(/"url":"(http[^"]+)"/)?.[1];
    if (address) return address.replace(/\/$/, "");
    seen.push(line);
  }
  throw new Error(`the service ended before it listened:\n${seen.join("\n")}`);
}

/** Returns the answer to GET, or to POST where there is a body. @throws Error where its status is not 200. */
async function answer(url: string, body?: object): Promise<Response> {
  const headers = { "Content-Type": "application/json", Prefer: "wait=60" };
  const answered = await fetch(url, body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
  if (answered.status !== 200) throw new Error(`${url}: 200 expected, got ${answered.status} ${await answered.text()}`);
  return answered;
}

function finite(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`a finite number expected, got ${value}`);
  return value.toPrecision(6);
}
