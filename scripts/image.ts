/**
 * Builds the image of the Dockerfile and tries it out, without Docker: `npm run image [-- --target cpu|gpu]
 * [-- --base IMAGE] [-- --keep]`. Needs root and Debian's buildah; debootstrap makes the base unless one is named.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readConfig } from "../src/config.ts";
import { asCollapsarError, CollapsarError } from "../src/errors.ts";
import { debianBase } from "./image/base.ts";
import { buildImage } from "./image/build.ts";
import { buildahIn } from "./image/buildah.ts";
import { describeImage } from "./image/description.ts";
import { sandboxOf } from "./image/sandbox.ts";
import { smokeTest } from "./image/smoke.ts";

const TARGETS = ["cpu", "gpu"];

const USAGE = `usage: npm run image -- [--target cpu|gpu] [--base IMAGE] [--keep]
  --target  stage of the Dockerfile to build (default cpu)
  --base    image to build upon, pulled by buildah (default: a Debian made by debootstrap)
  --keep    leave the image, and the Debian for the next one, in .collapsar/image`;

interface Options {
  readonly target: string;
  readonly base?: string;
  readonly keep: boolean;
}

async function image({ target, base, keep }: Options): Promise<void> {
  requireRoot();
  const folder = join(readConfig().home, "image");
  mkdirSync(folder, { recursive: true });
  const buildah = buildahIn(folder);
  try {
    const name = buildImage(buildah, { target, base: base ?? debianBase(buildah) });
    const description = describeImage(buildah, name);
    say(description.text);
    const sandbox = sandboxOf(buildah, name, description.config);
    try {
      for await (const line of smokeTest(sandbox, description.config)) say(`  ✓ ${line}`);
    } finally {
      await sandbox.remove();
    }
    if (keep) say(`Kept. To save it: ${buildah.commandLine} push ${name} docker-archive:${target}.tar:${name}`);
  } finally {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new CollapsarError("invalid-request", "this needs root, for buildah and its chroot: run it as root or by sudo");
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      target: { type: "string", default: "cpu" },
      base: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  if (!TARGETS.includes(values.target)) throw new TypeError(`--target ${values.target}: expected cpu or gpu`);
  return values;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`image: ${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
try {
  if (options) await image(options);
} catch (error) {
  const { code, message } = asCollapsarError(error);
  console.error(`image: ${message} (${code})`);
  process.exitCode = 1;
}
