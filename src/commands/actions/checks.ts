import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type Config, toStoreUrl } from "../../config.ts";
import { readHolder } from "../../database/lock.ts";
import { ENGINE_NAMES, type EngineName } from "../../engines/engine.ts";
import { openEngine } from "../../engines/open.ts";
import { CollapsarError } from "../../errors.ts";
import { describeNetwork } from "../../networks/resnet.ts";
import { download } from "../../storage/download.ts";
import { openStorage } from "../../storage/open.ts";
import { initialiseParameters } from "../../training/initialise.ts";
import { describeDatasets } from "./data.ts";

/** What a check found. One that throws has found something broken. */
interface Finding {
  readonly status: "ok" | "note" | "broken";
  readonly found: string;
  readonly fix?: string;
}

/** Looks at one thing that the configuration names. */
export type Check = (config: Config) => Promise<Finding>;

/** The embedded database takes 39 MB when it is made. */
const NEW_DATABASE_MB = 50;

/** Every check, by the name under which it is printed. */
export const CHECKS: Readonly<Record<string, Check>> = {
  runtime: checkRuntime,
  database: checkDatabase,
  storage: checkStorage,
  ...Object.fromEntries(ENGINE_NAMES.map((engine) => [`engine ${engine}`, () => checkEngine(engine)])),
  data: checkData,
  access: checkAccess,
};

async function checkRuntime(): Promise<Finding> {
  const { node } = process.versions;
  const [major, minor] = node.split(".").map(Number) as [number, number];
  if (major > 22 || (major === 22 && minor >= 18)) return { status: "ok", found: `Node.js ${node}` };
  return { status: "broken", found: `Node.js ${node}`, fix: "install Node.js 22.18 or newer" };
}

async function checkDatabase({ databaseUrl, home }: Config): Promise<Finding> {
  if (databaseUrl) {
    const { inspectServer } = await import("../../database/inspect.ts");
    const { version, pending } = await inspectServer(databaseUrl);
    if (Number.parseInt(version, 10) < 15)
      return { status: "broken", found: `PostgreSQL ${version}`, fix: "use PostgreSQL 15 or newer" };
    if (pending === 0) return { status: "ok", found: `PostgreSQL ${version}, its schema up to date` };
    const found = `PostgreSQL ${version} lacks ${pending} migrations`;
    return { status: "note", found, fix: "run collapsar migrate (serve and worker do so at their start)" };
  }
  const holder = readHolder(home);
  if (!holder) return checkHome(home);
  const who = `in use by "${holder.command}" (pid ${holder.pid})`;
  if (holder.address) return { status: "ok", found: `embedded in ${home}, ${who} at ${holder.address}` };
  return { status: "note", found: `embedded in ${home}, ${who}, which is no service`, fix: "wait until it has ended" };
}

/** Looks at the folder of the embedded database, or at the nearest there is of those that it would be made in. */
async function checkHome(home: string): Promise<Finding> {
  const fix = "set COLLAPSAR_HOME to a folder that can be written, with room";
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    await access(`${folder}/.`, constants.W_OK); // which a file has not
  } catch (error) {
    return { status: "broken", found: `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code}`, fix };
  }
  const { bavail, bsize } = await statfs(folder);
  const megabytes = Math.floor((bavail * bsize) / 2 ** 20);
  if (megabytes < NEW_DATABASE_MB) return { status: "broken", found: `${folder} has ${megabytes} MB left`, fix };
  return { status: "ok", found: `embedded in ${home}, in use by nobody` };
}

/** Writes an object, reads it and removes it. */
async function checkStorage({ store }: Config): Promise<Finding> {
  const storage = openStorage({ fileRoots: null });
  const url = `${toStoreUrl(store)}/doctor-${randomUUID()}`;
  const content = Buffer.from(url);
  try {
    await storage.write(url, content);
    const { bytes } = await download(storage, url);
    await storage.remove(url);
    if (!content.equals(bytes)) return { status: "broken", found: `${store} returns other bytes than were written` };
    return { status: "ok", found: `${store} can be written, read and cleared` };
  } catch (error) {
    const fix = "check COLLAPSAR_STORE, and for s3:// AWS_ENDPOINT_URL_S3, AWS_REGION and the credentials";
    return { status: "broken", found: (error as Error).message, fix };
  }
}

/** Runs two images through the smallest network. */
async function checkEngine(name: EngineName): Promise<Finding> {
  const spec = { arch: "resnet18", stem: "mnist", mod: false, sn: false, coeff: 3, channels: 1, width: 2 } as const;
  const graph = describeNetwork({ ...spec, classes: 10, l2Norm: false, mean: [0.5], std: [0.5] });
  try {
    const engine = await openEngine({ engine: name });
    const network = { kind: "graph", graph, parameters: initialiseParameters(graph, 1) } as const;
    const model = await engine.load(network, { kind: "pixels", height: 28, width: 28 });
    const { features } = await model.run(new Uint8Array(2 * 28 * 28).fill(100), 2);
    await model.dispose();
    if (!features.every(Number.isFinite)) return { status: "broken", found: "a tiny network gives no numbers" };
    return { status: "ok", found: `version ${engine.version} runs on ${engine.device}` };
  } catch (error) {
    if (name === "tensorflow" && error instanceof CollapsarError && error.code === "missing-engine")
      return { status: "note", found: "not installed; training and GPUs use it", fix: "run npm run tensorflow" };
    throw error;
  }
}

async function checkData({ data }: Config): Promise<Finding> {
  const datasets = await describeDatasets(data);
  const isHere = ({ train, test }: (typeof datasets)[number]) => train !== null || test !== null;
  const here = ["digits", ...datasets.filter(isHere).map(({ name }) => name)].join(", ");
  const missing = datasets.filter((dataset) => !isHere(dataset)).map(({ name }) => name);
  if (missing.length === 0) return { status: "ok", found: `here: ${here}` };
  const fix = "collapsar data list says where to get them, collapsar data add keeps them";
  return {
    status: "note",
    found: `here: ${here}; not here: ${missing.join(", ")} (looked in ${data.join(", ")})`,
    fix,
  };
}

async function checkAccess({ host, token }: Config): Promise<Finding> {
  const isLoopback = /^(localhost|127\.|::1$)/.test(host);
  const shown = token === null ? "COLLAPSAR_TOKEN is not set" : "COLLAPSAR_TOKEN is set";
  if (isLoopback) return { status: "ok", found: `HOST ${host} is this machine only; ${shown}` };
  const found = `HOST ${host} lets other machines in; ${shown}`;
  if (token !== null) return { status: "ok", found };
  return {
    status: "note",
    found,
    fix: "collapsar token create NAME --scope admin: without a token serve refuses to start",
  };
}
