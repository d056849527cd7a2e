import { readdirSync } from "node:fs";
import { ENGINE_NAMES, type EngineName } from "../../src/engines/engine.ts";
import { openEngine } from "../../src/engines/open.ts";
import { GOLDEN } from "../golden.ts";

/**
 * The engines of this machine: native TensorFlow needs `npm run tensorflow`, and where all real parts are required its
 * absence is a failure.
 */
export const ENGINES: readonly EngineName[] =
  process.env.COLLAPSAR_TEST_REQUIRE_SERVERS || (await isThere("tensorflow"))
    ? ENGINE_NAMES
    : ENGINE_NAMES.filter((name) => name !== "tensorflow");

function isThere(engine: EngineName): Promise<boolean> {
  return openEngine({ engine }).then(
    () => true,
    () => false,
  );
}

/** Every golden network: a checkpoint with inputs and outputs beside it. */
export const NETWORKS = readdirSync(GOLDEN)
  .filter((file) => file.endsWith(".io.safetensors"))
  .map((file) => file.replace(".io.safetensors", ""));
