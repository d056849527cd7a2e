import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Buildah, execute } from "./buildah.ts";

const RELEASE = "bookworm";
const NAME = `localhost/debian:${RELEASE}`;
const SITE = "http://deb.debian.org/debian";

/** What Debian's own slim image lacks too. */
const LEFT_OUT = ["var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"];

interface Source {
  readonly site: string;
  readonly release: string;
}

/** Returns the name of a minimal Debian made by debootstrap from this machine's mirror, unless the storage has it. */
export function debianBase(buildah: Buildah): string {
  if (buildah.run("images", "--quiet", "--filter", `reference=${NAME}`) !== "") return NAME;
  const sources = sourcesOf(RELEASE);
  const container = buildah.run("from", "scratch");
  const root = buildah.run("mount", container);
  execute("debootstrap", ["--variant=minbase", RELEASE, root, sources[0]!.site], "console");
  slim(root);
  writeFileSync(join(root, "etc/apt/sources.list"), sources.map(formatSource).join(""));
  // an image is thrown away when its build breaks off, so dpkg need not flush every file
  writeFileSync(join(root, "etc/dpkg/dpkg.cfg.d/unsafe-io"), "force-unsafe-io\n");
  buildah.run("commit", "--rm", container, NAME);
  return NAME;
}

/** Where this machine gets `release` and its updates, the release itself first; Debian's own site on other systems. */
function sourcesOf(release: string): Source[] {
  const format = "$(RELEASE) $(SITE)";
  const lines = execute("apt-get", ["indextargets", "--format", format, "Created-By: Packages", "Component: main"]);
  const known = [...new Set(lines.split("\n"))].map((line): Source => {
    const [of = "", site = ""] = line.split(" ");
    return { site, release: of };
  });
  const main = known.find((source) => source.release === release);
  if (!main) return [{ site: SITE, release }];
  return [main, ...known.filter((source) => source.release.startsWith(`${release}-`))];
}

function formatSource({ site, release }: Source): string {
  return `deb ${site} ${release} main\n`;
}

function slim(root: string): void {
  for (const folder of LEFT_OUT) rmSync(join(root, folder), { recursive: true, force: true });
}
