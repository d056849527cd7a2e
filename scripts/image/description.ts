import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Buildah } from "./buildah.ts";

/** What an image says about how to run it, under Docker's names. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly StopSignal: NodeJS.Signals;
  readonly WorkingDir: string;
}

interface Inspection {
  readonly Docker: { readonly config: ImageConfig; readonly rootfs: { readonly diff_ids: readonly string[] } };
}

/** Returns an image's configuration, and its name, size and layers (bytes uncompressed, base first) as text. */
export function describeImage(buildah: Buildah, name: string): { config: ImageConfig; text: string } {
  const { Docker } = JSON.parse(buildah.run("inspect", "--type", "image", name)) as Inspection;
  const sizes = layerSizes(buildah.root);
  const layers = Docker.rootfs.diff_ids.map((digest) => sizes.get(digest) ?? Number.NaN);
  const size = layers.reduce((sum, bytes) => sum + bytes, 0);
  return { config: Docker.config, text: `${name}: ${megabytes(size)} = ${layers.map(megabytes).join(" + ")}` };
}

/** buildah prints no sizes of layers; its storage knows them by digest. */
function layerSizes(root: string): Map<string, number> {
  const file = readFileSync(join(root, "vfs-layers/layers.json"), "utf8");
  const layers = JSON.parse(file) as { "diff-digest": string; "diff-size": number }[];
  return new Map(layers.map((layer) => [layer["diff-digest"], layer["diff-size"]]));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
