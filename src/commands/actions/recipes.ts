import type { Command } from "commander";
import { CollapsarError } from "../../errors.ts";
import { DEFAULTS, readPreset } from "../../training/preset.ts";
import { gridOf, type Recipe, type RecipeInput } from "../../training/recipe.ts";
import { parseSeeds } from "../../training/seeds.ts";
import type { RecipeOptions } from "../trainRecipes.ts";

/** Returns the recipes asked for. What is wrong with them is wrong usage of `command`, and ends it. */
export function recipesOf({ loss, l2Norm, ...options }: RecipeOptions, command: Command): Recipe[] {
  try {
    const preset = { ...DEFAULTS, ...readPreset(options.preset) };
    const losses = (loss ?? preset.loss!).split(",") as RecipeInput["loss"][];
    const l2Norms = l2Norm === undefined ? [preset.l2Norm!] : parseSwitches(l2Norm);
    return gridOf({ ...preset, ...options }, { losses, seeds: parseSeeds(options.seeds), l2Norms });
  } catch (error) {
    if (error instanceof CollapsarError && error.code === "invalid-request")
      command.error(`error: option --${error.message}`, { exitCode: 2 });
    throw error;
  }
}

/** `--l2-norm` alone is `true`. */
function parseSwitches(text: string | true): boolean[] {
  return [...new Set(String(text).split(","))].map((value) => {
    if (value === "true" || value === "false") return value === "true";
    throw new CollapsarError("invalid-request", `l2-norm: expected true, false or true,false, got "${text}"`);
  });
}
