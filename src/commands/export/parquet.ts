import { rename, rm } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import { asFileError } from "../../storage/fileErrors.ts";
import type { RecordedRun } from "./recorded.ts";

/** A row per value; whole numbers are 64 bits wide, as the database has them. */
const COLUMNS = [
  { name: "run", type: "STRING", nullable: false },
  { name: "experiment", type: "STRING", nullable: true },
  { name: "group", type: "STRING", nullable: true },
  { name: "seed", type: "INT64", nullable: true },
  { name: "epoch", type: "INT64", nullable: true },
  { name: "dataset", type: "STRING", nullable: false },
  { name: "protocol", type: "STRING", nullable: false },
  { name: "checkpoint", type: "STRING", nullable: false },
  { name: "sha256", type: "STRING", nullable: false },
  { name: "evaluation", type: "STRING", nullable: false },
  { name: "metric", type: "STRING", nullable: false },
  { name: "value", type: "DOUBLE", nullable: false },
] as const;

type Row = Record<(typeof COLUMNS)[number]["name"], string | bigint | number | null>;

/** Values of a row group: some MB of text before compression, all that is in memory at a time. */
const ROW_GROUP = 100_000;

/**
 * Writes the metrics of `runs` as a Parquet file at `path`, row group by row group, and returns how many values it holds.
 * The file is there when it is whole, or not at all.
 * @throws CollapsarError `storage-unavailable` where it cannot be written, and what says why else.
 */
export async function writeParquet(path: string, runs: AsyncIterable<RecordedRun>): Promise<number> {
  const partial = `${path}.partial`;
  let values = 0;
  async function* rows() {
    for await (const run of runs) {
      for (const row of rowsOf(run)) {
        values += 1;
        yield row;
      }
    }
  }
  try {
    const columns = [...COLUMNS];
    const options = { rowGroupSize: ROW_GROUP, createdBy: "collapsar" };
    await parquetWriteRows({ writer: fileWriter(partial), rows: rows(), columns, ...options });
    await rename(partial, path);
    return values;
  } catch (error) {
    throw asFileError(pathToFileURL(path).href, error, undefined);
  } finally {
    await rm(partial, { force: true });
  }
}

/** The values of a run, in order of epoch and name. */
function* rowsOf({ run, metrics }: RecordedRun): Generator<Row> {
  const { id, experiment, group } = run;
  for (const { epoch, dataset, protocol, checkpoint, evaluation, values } of metrics) {
    const place = { run: id, experiment, group, seed: toBigInt(run.seed), epoch: toBigInt(epoch) };
    const source = { dataset, protocol, checkpoint: checkpoint.url, sha256: checkpoint.sha256, evaluation };
    for (const metric of Object.keys(values).sort()) yield { ...place, ...source, metric, value: values[metric]! };
  }
}

const toBigInt = (value: number | null) => (value === null ? null : BigInt(value));
