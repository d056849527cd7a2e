import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL(".venv", import.meta.url));

/** Prints the versions of the packages named on the command line; of one that is missing, null. */
const VERSIONS_PROGRAM = `
import importlib.metadata, json, sys
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))`;

/** A Python that has the frameworks we are measured against. */
export interface Python {
  readonly path: string;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Returns the interpreter at `path`; without one, that of the bench's own environment, which is made where it is missing.
 * @throws Error that says what is missing and the command that brings it.
 */
export function openPython(path: string | undefined): Python {
  const interpreter = path ?? ownInterpreter();
  const packages = readFileSync(REQUIREMENTS, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("==")[0]!);
  const { status, stdout } = spawnSync(interpreter, ["-c", VERSIONS_PROGRAM, ...packages], { encoding: "utf8" });
  if (status !== 0) throw new Error(`there is no Python at ${interpreter}`);
  const versions: Record<string, string | null> = JSON.parse(stdout);
  const missing = packages.filter((name) => versions[name] === null);
  if (missing.length > 0)
    throw new Error(
      `${interpreter} lacks ${missing.join(", ")}: ${interpreter} -m pip install -r bench/requirements.txt`,
    );
  return { path: interpreter, versions: versions as Record<string, string> };
}

/** Makes the environment with the packages of requirements.txt; a half-made one is completed. */
function ownInterpreter(): string {
  const interpreter = `${ENVIRONMENT}/bin/python`;
  if (!existsSync(interpreter))
    must("python3", ["-m", "venv", ENVIRONMENT], "Python 3.10 or newer with its venv module");
  const installed = spawnSync(interpreter, ["-c", "import torch, openvino, onnxruntime, onnx, safetensors"]);
  if (installed.status !== 0) {
    console.error("Installing PyTorch, OpenVINO and ONNX Runtime into bench/.venv: several GB, once.");
    must(interpreter, ["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], "pip, and a way to a package index");
  }
  return interpreter;
}

function must(command: string, args: readonly string[], needed: string): void {
  const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0)
    throw new Error(`"${[command, ...args].join(" ")}" failed; it needs ${needed}. Or give --python PATH`);
}
