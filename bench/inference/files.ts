import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Python } from "../python.ts";

const MAKE = fileURLToPath(new URL("make.py", import.meta.url));
const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));

/** Planes of the first stage: DDU's. */
export const WIDTH = 64;
/** Enough for the largest batch that is tried. */
const TRIAL_IMAGES = 256;

export const ARCHITECTURES = ["resnet18", "resnet50"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What every program of the bench reads. */
export interface BenchFiles {
  readonly arch: Architecture;
  readonly folder: string;
  readonly checkpoint: string;
  readonly images: string;
  readonly trialImages: string;
}

/** Returns the files of that many images; they are made once, always the same. @throws Error where Python fails. */
export function benchFiles(python: Python, arch: Architecture, images: number): BenchFiles {
  const folder = join(CACHE, `${arch}-${images}`);
  if (!existsSync(folder)) {
    const making = `${folder}.part`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    const counts = ["--images", String(images), "--trial-images", String(TRIAL_IMAGES)];
    const args = [MAKE, "--arch", arch, "--width", String(WIDTH), "--folder", making, ...counts];
    const { status, stderr } = spawnSync(python.path, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`the files of the bench could not be made:\n${stderr}`);
    renameSync(making, folder);
  }
  return {
    arch,
    folder,
    checkpoint: join(folder, "network.safetensors"),
    images: join(folder, "images.safetensors"),
    trialImages: join(folder, "trial.safetensors"),
  };
}
