/**
 * Prints what the program consists of, as CycloneDX: `npm run sbom`. `npm sbom --omit dev` itself leaves out whatever a
 * development dependency needs too (npm 11: `pure-rand`, `picomatch`, …), so it is asked of a lock file without these.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));

const { devDependencies: _, scripts: __, ...manifest } = read("package.json");
const lock = read("package-lock.json") as { packages: Record<string, { dev?: boolean; devDependencies?: object }> };
const { devDependencies: ___, ...root } = lock.packages[""]!;
const kept = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && !dev);
const packages = { "": root, ...Object.fromEntries(kept) };

const folder = mkdtempSync(join(tmpdir(), "collapsar-sbom-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ ...lock, packages }));
  const options = ["--sbom-format", "cyclonedx", "--package-lock-only"];
  execFileSync("npm", ["sbom", ...options], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
} finally {
  rmSync(folder, { recursive: true });
}
