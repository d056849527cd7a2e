import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { CollapsarError } from "../errors.ts";
import { presetSchema } from "./recipeSchema.ts";

/** How to train, but for dataset, seed and names; what it leaves out is as in the preset `ddu`. */
export type Preset = Omit<z.output<typeof presetSchema>, "description">;

/** Where the presets that come with Collapsar are; beside `src` in a clone, beside `dist` in the package. */
const BUNDLED = new URL("../../presets/", import.meta.url);

/**
 * Returns the preset of a name (`ddu`) or of a file (a path, which has a `/` or a `.`).
 * @throws CollapsarError `invalid-request` that names the file or the key in it, and what was expected.
 */
export function readPreset(reference: string): Preset {
  const path = /[/\\.]/.test(reference) ? reference : fileURLToPath(new URL(`${reference}.json`, BUNDLED));
  const parsed = presetSchema.safeParse(readJson(path));
  if (parsed.success) {
    const { description: _, ...preset } = parsed.data;
    return preset;
  }
  const { path: keys, message } = parsed.error.issues[0]!;
  throw new CollapsarError("invalid-request", `preset: ${path}: ${[...keys, message].join(": ")}`);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const message = `preset: expected the name of a preset or a JSON file, got ${path} (${(cause as Error).message})`;
    throw new CollapsarError("invalid-request", message, { cause });
  }
}

/** What a recipe has where nothing else is said: the training of DDU. */
export const DEFAULTS = readPreset("ddu");
