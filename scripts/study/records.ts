import { readFileSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Aggregate } from "../../src/api/contract.ts";

/** One metric of one run after one epoch. */
export interface StudyRecord {
  readonly group: string;
  readonly seed: number;
  readonly epoch: number;
  readonly metric: string;
  readonly value: number;
}

/** Returns what the database has, in order of group, seed, epoch and metric, so that the same numbers are the same file. */
export function recordsOf({ rows }: Aggregate): StudyRecord[] {
  const records = rows.flatMap(({ group, metric, perSeed }) =>
    perSeed.map(({ seed, epoch, value }) => ({ group: group!, seed: seed!, epoch: epoch!, metric, value })),
  );
  return records.sort(
    (a, b) => order(a.group, b.group) || a.seed - b.seed || a.epoch - b.epoch || order(a.metric, b.metric),
  );
}

/** Returns the records as a Parquet file, values in full double precision. */
export function encodeRecords(records: readonly StudyRecord[]): Uint8Array {
  const columns = { group: "STRING", seed: "INT32", epoch: "INT32", metric: "STRING", value: "DOUBLE" } as const;
  const names = Object.keys(columns) as (keyof typeof columns)[];
  const columnData = names.map((name) => ({
    ...{ name, type: columns[name], nullable: false },
    data: records.map((record) => record[name]),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "collapsar" }));
}

/** Returns the records of a Parquet file, in its order. */
export async function parseRecords(file: Uint8Array): Promise<StudyRecord[]> {
  return (await parquetReadObjects({ file: new Uint8Array(file).buffer })) as unknown as StudyRecord[];
}

/** Returns the records of the Parquet file at `path`, in its order. */
export function readRecords(path: string): Promise<StudyRecord[]> {
  return parseRecords(readFileSync(path));
}

const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
