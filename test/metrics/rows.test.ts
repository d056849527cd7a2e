import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf, concatenatedRows, type Rows, rowsInMemory } from "../../src/metrics/rows.ts";

const COLUMNS = 3;

/** As a file gives its rows: into the buffer where there is one. */
function rowsOfFile(values: Float32Array): Rows {
  const inMemory = rowsInMemory(values, COLUMNS);
  return {
    ...inMemory,
    async read(start, end, buffer) {
      const bytes = buffer ? buffer() : new Uint8Array((end - start) * COLUMNS * 4);
      const target = new Float32Array(bytes.buffer, bytes.byteOffset, (end - start) * COLUMNS);
      target.set(await inMemory.read(start, end));
      return target;
    },
  };
}

async function blocks(rows: Rows, size: number): Promise<number[][]> {
  const all: number[][] = [];
  for await (const { values } of blocksOf(rows, size)) all.push([...values]);
  return all;
}

describe("rows of several parts", () => {
  const parts = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 });

  it("have the blocks of the rows in one piece, in memory and in files", async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 30 }), async (counts, size) => {
        const whole = Float32Array.from({ length: counts.reduce((a, b) => a + b) * COLUMNS }, (_, i) => i);
        const begin = (part: number) => counts.slice(0, part).reduce((a, b) => a + b, 0) * COLUMNS;
        const pieces = counts.map((_, part) => whole.subarray(begin(part), begin(part + 1)));
        const expected = await blocks(rowsInMemory(whole, COLUMNS), size);
        for (const open of [(piece: Float32Array) => rowsInMemory(piece, COLUMNS), rowsOfFile]) {
          const rows = concatenatedRows(pieces.map(open));
          expect([rows.count, rows.columns]).toEqual([whole.length / COLUMNS, COLUMNS]);
          expect(await blocks(rows, size)).toEqual(expected);
        }
      }),
    );
  });

  it("keep every bit of float64", async () => {
    const values = [0.1, 1 / 3, Math.PI];
    const rows = concatenatedRows([
      rowsInMemory(Float32Array.of(1, 2, 3), COLUMNS),
      rowsInMemory(Float64Array.from(values), COLUMNS),
    ]);
    expect([...(await rows.read(0, 2))]).toEqual([1, 2, 3, ...values]);
  });
});
