/**
 * Native TensorFlow for the engine "tensorflow" in this clone: the npm package tfjs-node without the TensorFlow 2.9 that
 * it would download, on the library of a current TensorFlow wheel instead. A second run proves what is there and is done.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { NativeTensorflow } from "../src/engines/tfjs/native.ts";
import { asCollapsarError, CollapsarError } from "../src/errors.ts";
import { compileBinding } from "./tensorflow/binding.ts";
import { run } from "./tensorflow/run.ts";
import { fetchWheels, unpackWheels } from "./tensorflow/wheels.ts";

const HELP = `npm run tensorflow [-- --gpu] [-- --remove]

Installs native TensorFlow into node_modules, for collapsar … --engine tensorflow. It takes the npm package
@tensorflow/tfjs-node without its own download, the library of a pinned TensorFlow wheel by pip, and compiles the
binding between them. Needs Linux with glibc, python3 with pip, and g++. npm ci and npm install remove it again.

  --gpu     @tensorflow/tfjs-node-gpu with CUDA and cuDNN instead, about 3.3 GB to fetch (x64)
  --remove  removes what it installed
  --help    shows this`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HEADERS = "node-api-headers";
const VERSIONS: Readonly<Record<string, string>> = {
  "@tensorflow/tfjs-node": "4.22.0",
  "@tensorflow/tfjs-node-gpu": "4.22.0",
  [HEADERS]: "1.9.0",
};

function provideTensorflow(name: string, wheels: "cpu.txt" | "gpu.txt"): void {
  const already = attempt(() => prove(name));
  if (already) report(already, "is there already");
  else report(install(name, wheels), "is ready");
}

function install(name: string, wheels: "cpu.txt" | "gpu.txt"): NativeTensorflow {
  requireMachine(name);
  requireTools();

  const folder = join(ROOT, "node_modules", name);
  const deps = join(folder, "deps");
  const fetched = join(deps, "wheels");
  step(`npm package ${name} ${VERSIONS[name]}, without its scripts`, () => npm("install", name, HEADERS));
  step("TensorFlow wheel by pip, its digest checked", () => fetchWheels(wheels, fetched));
  step("headers and libraries unpacked", () => unpackWheels(fetched, deps));
  step("binding compiled", () => compileBinding(folder, join(ROOT, "node_modules", HEADERS, "include")));
  const native = step("two matrices multiplied on it", () => prove(name));
  rmSync(fetched, { recursive: true });
  return native;
}

function remove(): void {
  step("native TensorFlow removed", () => npm("uninstall", ...Object.keys(VERSIONS)));
}

/** Returns what a process of its own finds when it multiplies two matrices. @throws CollapsarError where it cannot. */
function prove(name: string): NativeTensorflow {
  const native = JSON.parse(run(process.execPath, [join(ROOT, "scripts/tensorflow/prove.ts")])) as NativeTensorflow;
  if (native.package !== name) throw new CollapsarError("missing-engine", `${native.package} is here, not ${name}`);
  return native;
}

function report(native: NativeTensorflow, state: string): void {
  say(
    `TensorFlow ${native.version} (${native.package}) ${state}; it multiplied on the ${native.device.toUpperCase()}.`,
  );
  if (native.package.endsWith("-gpu") && native.device === "cpu")
    say(
      `Not proven: that it runs on a GPU. TensorFlow sees none here; TF_CPP_MIN_LOG_LEVEL=0 makes it say what it looked for.`,
    );
}

function requireMachine(name: string): void {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const architectures = name.endsWith("-gpu") ? ["x64"] : ["x64", "arm64"];
  if (header.glibcVersionRuntime && architectures.includes(process.arch)) return;
  throw new CollapsarError(
    "missing-engine",
    `${name} is built for Linux with glibc on ${architectures.join(" and ")}, and this is ${process.platform} on ${process.arch}`,
  );
}

function requireTools(): void {
  run("npm", ["--version"], "npm is not here: it comes with Node.js");
  run(
    "python3",
    ["--version"],
    "python3 is not here: it fetches TensorFlow (Debian and Ubuntu: apt-get install python3-pip)",
  );
  if (!attempt(() => run("python3", ["-m", "pip", "--version"])))
    throw new CollapsarError(
      "missing-engine",
      "python3 has no pip here (Debian and Ubuntu: apt-get install python3-pip)",
    );
  run("g++", ["--version"], "g++ is not here: it compiles the binding (Debian and Ubuntu: apt-get install g++)");
}

/**
 * Neither package.json nor the lock file changes, and nothing that a package would run is run. What is an optional peer
 * dependency npm installs only if told that it is to be another kind (--save-prod).
 */
function npm(command: "install" | "uninstall", ...names: string[]): void {
  const packages = command === "install" ? names.map((name) => `${name}@${VERSIONS[name]}`) : names;
  const quiet = ["--no-save", "--save-prod", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  run("npm", [command, "--prefix", ROOT, ...quiet, ...packages]);
}

function step<T>(title: string, work: () => T): T {
  process.stdout.write(`${title} … `);
  const start = performance.now();
  try {
    const result = work();
    say(`${((performance.now() - start) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    say("failed");
    throw error;
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function optionsGiven() {
  try {
    const flag = { type: "boolean" } as const;
    return parseArgs({ options: { gpu: flag, remove: flag, help: flag } }).values;
  } catch (cause) {
    throw new CollapsarError("invalid-request", `${(cause as Error).message}; --help lists what there is`, { cause });
  }
}

function main(): void {
  const values = optionsGiven();
  if (values.help) say(HELP);
  else if (values.remove) remove();
  else if (values.gpu) provideTensorflow("@tensorflow/tfjs-node-gpu", "gpu.txt");
  else provideTensorflow("@tensorflow/tfjs-node", "cpu.txt");
}

try {
  main();
} catch (error) {
  console.error(`tensorflow: ${asCollapsarError(error).message}`);
  process.exitCode = 1;
}
