import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { readHolder } from "../../src/database/lock.ts";
import { openDatabase } from "../../src/database/open.ts";
import { checkpointBytes, emptyFolder } from "../api/samples.ts";
import { evaluated } from "../database/samples.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where the blocks of a document run. */
export interface Place {
  readonly folder: string;
  /** Base URL of the service. */
  readonly service: string;
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** Returns a folder with what documents speak of, and a service that reads it and knows the runs of a demonstration. */
export async function openPlace(): Promise<Place> {
  const folder = await emptyFolder();
  await writeFile(join(folder, "CKPT"), checkpointBytes());
  await writeFile(join(folder, "letters.safetensors"), letters());
  await writePrograms(join(folder, ".programs"));
  await writeClient(join(folder, "node_modules/collapsar"));
  await recordDemo(join(folder, ".collapsar"));
  const { DATABASE_URL: _, ...own } = process.env;
  const home = join(folder, ".collapsar");
  const settings = { COLLAPSAR_HOME: home, COLLAPSAR_FILE_ROOT: folder, PORT: "0" };
  const env = { ...own, ...settings, PATH: `${join(folder, ".programs")}:${own.PATH}` };
  // a process of its own, for it reads relative paths from the folder it was started in
  const server = spawn(process.execPath, [`${ROOT}bin/collapsar.js`, "serve"], { cwd: folder, env, stdio: "ignore" });
  const close = async () => {
    if (server.exitCode === null && server.kill()) await once(server, "exit");
    await rm(folder, { recursive: true });
  };
  return { folder, service: await addressOf(home, server), env, close };
}

async function addressOf(home: string, server: ChildProcess): Promise<string> {
  while (server.exitCode === null) {
    const address = readHolder(home)?.address;
    if (address) return address;
    await sleep(100);
  }
  throw new Error(`collapsar serve ended with ${server.exitCode}`);
}

/** A few images, of noise. */
function letters(): Uint8Array {
  const images = Uint8Array.from({ length: 20 * 28 * 28 }, (_, i) => (i * i * 31) % 251);
  return writeSafetensors([["images", { dtype: "U8", shape: [20, 28, 28, 1], data: images }]], {});
}

/** `collapsar` and `npx collapsar` of this clone; `serve` is there already. curl fails where it is refused. */
async function writePrograms(folder: string): Promise<void> {
  const collapsar = `[ "$1" = serve ] && exit 0\nexec "${process.execPath}" "${ROOT}bin/collapsar.js" "$@"`;
  const programs = {
    collapsar,
    npx: `[ "$1" = collapsar ] || { echo "npx $1: expected collapsar" >&2; exit 1; }\nshift\n${collapsar}`,
    curl: `PATH="${process.env.PATH}"\nexec curl --fail-with-body "$@"`,
  };
  await mkdir(folder);
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  }
}

/** The package, as far as its client goes. */
async function writeClient(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module", "exports": { "./client": "./client.js" } }');
  await writeFile(
    join(folder, "client.js"),
    `export * from "${new URL("../../src/client/client.ts", import.meta.url)}";`,
  );
}

async function recordDemo(home: string): Promise<void> {
  const database = await openDatabase({ home, databaseUrl: null }, "collapsar test");
  for (const [group, offset] of [
    ["ce", 0.5],
    ["nc", 0.1],
  ] as const) {
    for (const seed of [1, 2, 3]) {
      const run = { id: `demo-${group}-seed${seed}`, experiment: "demo", group, seed };
      const nc1 = offset + seed / 50;
      const values = { nc1, nc3: nc1 / 2, accuracy: 0.9 - nc1 / 3, "auroc:fashion-sample:gmm": 0.99 - nc1 / 10 };
      await evaluated(database, { run, epoch: 4, values });
    }
  }
  await database.close();
}
