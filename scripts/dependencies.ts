// Audits what runs in production, where the registry offers that, and writes what it consists of as CycloneDX:
//   npm run dependencies -- [FILE]     FILE: of the SBOM, default sbom.json
// Ends with 1 where a vulnerability is known that is high or critical, and where a dependency is not listed.
import { type ExecFileException, execFile } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withTemporaryFolder } from "../src/temporaryFolder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAX_OUTPUT = 64 * 2 ** 20;

interface Sbom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: { readonly name: string; externalReferences?: { readonly url: string }[] }[];
}

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
}

const failed = await audit();
const file = process.argv[2] ?? "sbom.json";
const { bomFormat, specVersion, components } = await writeSbom(file);
console.log(`SBOM: ${bomFormat} ${specVersion}, ${components.length} components, in ${file}`);
if (failed) process.exit(1);

/** Returns whether something high or critical is known of a dependency. */
async function audit(): Promise<boolean> {
  const { error, stdout } = await npm(["audit", "--omit=dev", "--audit-level=high", "--json"], ROOT);
  const report = JSON.parse(stdout || "{}") as { auditReportVersion?: number; message?: string };
  if (report.auditReportVersion === undefined) {
    console.log(`NOT AUDITED, the registry does not offer it: ${report.message ?? error?.message}`);
    return false;
  }
  console.log(error ? stdout : "audited: nothing is known that is high or critical");
  return error !== null;
}

/** Writes the SBOM and returns it. */
async function writeSbom(file: string): Promise<Sbom> {
  const { devDependencies, scripts, ...manifest } = await readManifest();
  const text = await withTemporaryFolder(async (parent) => {
    // npm sbom --omit dev leaves out what development needs too, and calls what it lists by its folder
    const folder = join(parent, "collapsar");
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await copyFile(join(ROOT, "package-lock.json"), join(folder, "package-lock.json"));
    const pruned = await npm(["install", "--package-lock-only", "--ignore-scripts", "--no-audit"], folder);
    if (pruned.error) throw pruned.error;
    const { error, stdout } = await npm(["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], folder);
    if (error) throw error;
    return stdout;
  });
  const sbom = JSON.parse(text) as Sbom;
  // git@host:path is no URL, as CycloneDX wants it
  for (const component of sbom.components)
    component.externalReferences = component.externalReferences?.filter(({ url }) => URL.canParse(url)) ?? [];
  const listed = new Set(sbom.components.map(({ name }) => name));
  const absent = Object.keys(manifest.dependencies).filter((name) => !listed.has(name));
  if (absent.length > 0) throw new Error(`the SBOM lacks ${absent.join(", ")}`);
  await writeFile(file, `${JSON.stringify(sbom, null, 2)}\n`);
  return sbom;
}

async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
}

function npm(args: readonly string[], cwd: string): Promise<{ error: ExecFileException | null; stdout: string }> {
  return new Promise((resolve) => {
    const options = { cwd, maxBuffer: MAX_OUTPUT };
    execFile("npm", [...args, "--loglevel", "error"], options, (error, stdout) => resolve({ error, stdout }));
  });
}
