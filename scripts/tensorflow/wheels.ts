import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../../src/errors.ts";
import { run } from "./run.ts";

/** The Python whose wheels are pinned; the one that runs pip may be any other. */
const WHEELS_OF = ["--python-version", "3.12", "--implementation", "cp", "--only-binary", ":all:"];

const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The newest C library that a wheel may ask for is that of the `tensorflow` wheels, manylinux_2_27. */
const GLIBC_MINORS = [27, 26, 25, 24, 17, 12];

/** The binding includes the C API alone; all headers of a wheel are 13,000 files. A GPU's code is assembled by ptxas. */
const WANTED = String.raw`tensorflow/libtensorflow_(cc|framework)\.so\.2$
  |tensorflow/include/(tensorflow/c/|xla/tsl/c/|tensorflow/core/platform/ctstring|tsl/platform/ctstring)
  |nvidia/\w+/lib/lib.*\.so
  |nvidia/cuda_nvcc/(bin/ptxas|nvvm/libdevice/)`;

const UNPACK = `
import re, sys, zipfile
wheel, folder, wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in filter(re.compile(wanted, re.VERBOSE).match, archive.namelist()):
        archive.extract(name, folder)
`;

/**
 * Fetches the wheels that the list pins by digest into the folder; those already there are not fetched again.
 * @throws CollapsarError `missing-engine` where pip cannot get one or its digest is another.
 */
export function fetchWheels(list: "cpu.txt" | "gpu.txt", folder: string): void {
  const requirements = fileURLToPath(new URL(list, import.meta.url));
  const machine = MACHINES[process.arch]!;
  const platforms = [...GLIBC_MINORS.map((minor) => `manylinux_2_${minor}_${machine}`), `manylinux2014_${machine}`];
  const download = [
    ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"],
    ...WHEELS_OF,
    ...platforms.flatMap((platform) => ["--platform", platform]),
    ...["--requirement", requirements, "--dest", folder],
  ];
  try {
    run("python3", download);
  } catch (error) {
    if (!/DO NOT MATCH THE HASHES/.test(String(error))) throw error;
    throw new CollapsarError(
      "missing-engine",
      `a wheel that pip fetched has another digest than scripts/tensorflow/${list} pins, and is not used`,
      { cause: error },
    );
  }
}

/**
 * Lays out what the binding is compiled and run with as TensorFlow expects it: include/, lib/ and, for a GPU, nvidia/
 * beside lib/, where libtensorflow looks.
 */
export function unpackWheels(folder: string, deps: string): void {
  const unpacked = join(deps, "unpacked");
  for (const name of ["unpacked", "include", "lib", "nvidia"])
    rmSync(join(deps, name), { recursive: true, force: true });
  for (const wheel of listOf(folder)) run("python3", ["-c", UNPACK, wheel, unpacked, WANTED]);

  const tensorflow = join(unpacked, "tensorflow");
  renameSync(join(tensorflow, "include"), join(deps, "include"));
  if (existsSync(join(unpacked, "nvidia"))) renameSync(join(unpacked, "nvidia"), join(deps, "nvidia"));
  renameSync(tensorflow, join(deps, "lib"));
  for (const program of listOf(join(deps, "nvidia/cuda_nvcc/bin"))) chmodSync(program, 0o755);
  rmSync(unpacked, { recursive: true });
}

function listOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
