import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../errors.ts";
import { type CatalogueName, entryOf } from "./catalogue.ts";
import type { Dataset } from "./dataset.ts";
import { inMemory } from "./inMemory.ts";
import { type FoundFile, findFiles, readFiles } from "./localFiles.ts";

/** Where the datasets that come with Collapsar are; beside `src` in a clone, beside `dist` in the package. */
const BUNDLED = fileURLToPath(new URL("../../data", import.meta.url));

/**
 * Returns the images and labels of a part, in the order of the files, from the first of `<folder>/<dataset>` that has all.
 * @throws CollapsarError `missing-dataset` that says what to put where, `malformed-dataset` that names the file.
 */
export async function openNamed(
  name: string,
  dataset: CatalogueName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<Dataset> {
  const files = await readFiles(await findPart(dataset, part, folders));
  return inMemory(name, entryOf(dataset).decode(files));
}

/** Returns a mark of the content: path, size and time of change of the files. @throws as `openNamed`. */
export async function namedVersion(
  dataset: CatalogueName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<string> {
  const files = await findPart(dataset, part, folders);
  return files.map(({ path, size, changed }) => `${path}:${size}:${changed}`).join(" ");
}

/**
 * Returns the files of a part, from the first of `<folder>/<dataset>` that has all.
 * @throws CollapsarError `missing-dataset` that says what to put where.
 */
export async function findPart(
  dataset: CatalogueName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<FoundFile[]> {
  const { files, archive } = entryOf(dataset);
  const places = [...folders, BUNDLED].map((folder) => join(folder, dataset));
  for (const place of places) {
    const found = await findFiles(place, files[part], archive);
    if (found) return found;
  }
  throw missing(dataset, part, places);
}

function missing(dataset: CatalogueName, part: "train" | "test", places: readonly string[]): CollapsarError {
  const { files, archive, source, md5 } = entryOf(dataset);
  const published = (file: string) => (`${file}.gz` in md5 ? `${file}.gz` : basename(file));
  const needed = archive ?? files[part].map(published).join(" and ");
  return new CollapsarError(
    "missing-dataset",
    `${dataset} needs ${needed} in ${places.join(" or ")}: ${source}, then \`collapsar data add ${dataset} FILES\``,
  );
}
