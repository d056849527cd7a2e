import { toUrl } from "../../config.ts";
import { CollapsarError } from "../../errors.ts";
import { type FeatureFile, openFeatureFile } from "../../evaluation/features/file.ts";
import type { FeatureSets, Measured } from "../../evaluation/measure.ts";
import { measure } from "../../evaluation/measure.ts";
import type { FeatureSet } from "../../metrics/rows.ts";
import { openByteSource } from "../../storage/byteSource.ts";
import { openStorage } from "../../storage/open.ts";
import type { MetricsOptions } from "../metrics.ts";
import { formatMetrics } from "../metricTables.ts";
import { nested } from "../nested.ts";
import { print } from "../output.ts";

/** Prints all metrics of a features file. @throws CollapsarError of what is wrong in it or in the others. */
export async function printMetrics(file: string, { json, quiet, ...options }: MetricsOptions): Promise<void> {
  const measured = await measureFiles(file, options);
  print(nested(measured), { json, quiet }, () => formatMetrics(measured));
}

async function measureFiles(trainFile: string, { test, validation, ood, jitter }: MetricsOptions): Promise<Measured> {
  const storage = openStorage({ fileRoots: null });
  const opened: FeatureFile[] = [];
  const open = async (path: string) => {
    const file = await openFeatureFile(await openByteSource(storage, toUrl(path)));
    opened.push(file);
    return file;
  };
  try {
    const file = await open(trainFile);
    const classifier = await file.classifier();
    const setOf = async (path: string | undefined, prefix: string) =>
      path ? requireSet(await (await open(path)).set(classifier), path) : file.set(classifier, prefix);
    const named = await Promise.all(
      ood.map(async (path) => ({ name: baseName(path), group: null, set: (await setOf(path, ""))! })),
    );
    const own = named.length === 0 ? await setOf(undefined, "ood_") : null;
    const sets: FeatureSets = {
      train: requireSet(await file.set(classifier), trainFile),
      test: await setOf(test, "test_"),
      validation: validation
        ? await (await open(validation)).logits(classifier)
        : await file.logits(classifier, "val_"),
      ood: own ? [{ name: "ood", group: null, set: own }] : named,
    };
    return await measure(sets, classifier, { jitter });
  } finally {
    for (const file of opened) await file.close();
  }
}

function requireSet(set: FeatureSet | null, path: string): FeatureSet {
  if (set) return set;
  throw new CollapsarError("wrong-shape", `no tensor "features" in ${path}`);
}

function baseName(path: string): string {
  return path.replace(/^.*[/\\]/s, "").replace(/\.safetensors$/, "");
}
