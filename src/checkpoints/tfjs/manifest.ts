import { z } from "zod";
import { malformed } from "./malformed.ts";
import { sizeOf, type WeightEntry, type WeightsGroup, weightEntry } from "./weights.ts";

const MAX_WEIGHTS = 10_000;
const MAX_FILES = 1_000;
/** Of all tensors, as they are in memory: quantised ones take up to four times their bytes in the file. */
const MAX_TENSOR_BYTES = 4 * 2 ** 30;

/** Any array: its elements are looked at one by one, up to the first that is wrong. */
export const list = z.custom<unknown[]>(Array.isArray, "expected an array");
const group = z.object({ paths: list, weights: list });

/**
 * Returns the groups of a `weightsManifest`, their paths without `./`.
 * @throws CollapsarError `malformed-checkpoint` that names the path or weight and what is wrong, or the limit.
 */
export function readManifest(manifest: readonly unknown[]): WeightsGroup[] {
  requireAtMost(MAX_WEIGHTS, manifest.length, "groups of weights");
  let [files, weights] = [0, 0];
  const groups = manifest.map((entry, i) => {
    const parsed = group.safeParse(entry);
    if (!parsed.success) throw malformed(`weightsManifest.${i} needs paths and weights`);
    files += parsed.data.paths.length;
    weights += parsed.data.weights.length;
    requireAtMost(MAX_FILES, files, "weights files");
    requireAtMost(MAX_WEIGHTS, weights, "weights");
    return { paths: parsed.data.paths.map(checkPath), weights: parsed.data.weights.map(checkWeight) };
  });
  requireUnique(
    "weights file",
    groups.flatMap(({ paths }) => paths),
  );
  const all = groups.flatMap((one) => one.weights);
  requireUnique(
    "weight",
    all.map(({ name }) => name),
  );
  requireMemory(all);
  return groups;
}

/** Only files beside or below `model.json` may be named. */
function checkPath(path: unknown): string {
  const segments = typeof path === "string" ? path.split("/").filter((segment) => segment !== ".") : [];
  const bad = segments.length === 0 || segments.some((segment) => segment === "" || segment === "..");
  if (bad || typeof path !== "string" || path.length > 1024 || MISLEADING.test(path) || !path.isWellFormed())
    throw malformed(
      `the path ${JSON.stringify(path)?.slice(0, 128)}, expected one relative to model.json and below it`,
    );
  return segments.join("/");
}

/** Control characters, backslashes, and a scheme at the start. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const MISLEADING = /[\u0000-\u001f\\]|^[a-z][a-z\d+.-]*:/i;

function checkWeight(entry: unknown): WeightEntry {
  const parsed = weightEntry.safeParse(entry);
  if (parsed.success) return parsed.data;
  const named = z.object({ name: z.string() }).safeParse(entry);
  const which = named.success ? `weight "${named.data.name.slice(0, 128)}"` : "a weight without a name";
  const issue = parsed.error.issues[0]!;
  throw malformed(`${which}: ${[...issue.path, issue.message].join(" ")}`);
}

function requireAtMost(limit: number, count: number, what: string): void {
  if (count > limit) throw malformed(`it has ${count} ${what}, at most ${limit}`);
}

function requireUnique(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw malformed(`the ${what} "${name}" is there twice`);
    seen.add(name);
  }
}

function requireMemory(weights: readonly WeightEntry[]): void {
  let bytes = 0;
  for (const { name, shape } of weights) {
    bytes += 4 * sizeOf(shape);
    if (bytes > MAX_TENSOR_BYTES)
      throw malformed(
        `with weight "${name}" (${shape.join("×")}) the tensors take more than ${MAX_TENSOR_BYTES} bytes`,
      );
  }
}
