import { describe, expect, it } from "vitest";
import { formatProgress } from "../../src/commands/progressLine.ts";
import { sparkline } from "../../src/commands/sparkline.ts";
import { formatTable, wrap } from "../../src/commands/table.ts";

const COLUMNS = [
  { heading: "name", align: "left" },
  { heading: "value" },
  { heading: "what it is", align: "left", optional: true },
] as const;
const ROWS = [
  ["nc1", "76.1", "variability collapse"],
  ["trace", "1.94e-5", "trace"],
  ["samples", "2000", "training samples"],
  ["none", "–", ""],
];

describe("a table", () => {
  it("has the points of its numbers in one line", () => {
    const [, , ...lines] = formatTable(COLUMNS.slice(0, 2), ROWS, 80).split("\n");
    expect(lines).toEqual(["nc1        76.1", "trace       1.94e-5", "samples  2000", `none${" ".repeat(14)}–`]);
  });

  it("aligns both numbers of a mean and its interval", () => {
    const rows = [["0.8933 ± 0.05171"], ["0.98 ± 12.5 (n=2)"]];
    const [, , first, second] = formatTable([{ heading: "" }], rows, 80).split("\n");
    expect(second!.indexOf(".5")).toBe(first!.indexOf(".05171"));
    expect(second!.indexOf("±")).toBe(first!.indexOf("±"));
  });

  it("leaves out what is optional, breaks words, and moves columns below, never wider than the terminal", () => {
    expect(formatTable(COLUMNS, ROWS, 30)).not.toContain("what it is");
    const wide = [
      { heading: "run", align: "left" as const },
      ...["a", "b", "c"].map((name) => ({ heading: name.repeat(9) })),
    ];
    const folded = formatTable(wide, [["s3://bucket/a/long/name-of-a-run", "1", "2", "3"]], 30);
    expect(folded.match(/run/g)!.length).toBeGreaterThan(1);
    for (const name of ["a", "b", "c"]) expect(folded).toContain(name.repeat(9));
    for (const text of [folded, formatTable(COLUMNS, ROWS, 30)])
      expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(30);
  });

  it("does not break what is to be copied", () => {
    const columns = [
      { heading: "id", align: "left", unbroken: true },
      { heading: "text", align: "left" },
    ] as const;
    expect(formatTable(columns, [["01M89H5YCX56X5HDETZQ80SWKJ", "many words that need several lines"]], 45)).toContain(
      "01M89H5YCX56X5HDETZQ80SWKJ",
    );
  });

  it("breaks a text at spaces, and loses nothing of it", () => {
    const text = "a checkpoint at s3://bucket/a/very/long/name/of/an/object that is not there";
    const lines = wrap(text, 20);
    expect(lines.every(({ length }) => length <= 20)).toBe(true);
    expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  });
});

describe("a sparkline", () => {
  it("goes from the least to the greatest value, by ratios where these are large", () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([1000, 100, 10, 1])).toBe("█▆▃▁");
    expect(sparkline([1, null, 2])).toBe("▁ █");
    expect(sparkline([5, 5])).toBe("▁▁");
  });
});

describe("a line of progress", () => {
  it("tells how much is done, how fast and for how long still, with a bar where there is room", () => {
    const images = { stage: "train", from: 0, done: 4800, total: 8000, unit: "img" as const, seconds: 24 };
    expect(formatProgress(images, 80)).toBe("train  ━━━━━━━━━━━━────────  60 %  4800/8000  200 img/s  0:16 left");
    expect(formatProgress(images, 60)).toBe("train  60 %  4800/8000  200 img/s  0:16 left");
    expect(formatProgress({ ...images, seconds: 0.4 }, 60)).toContain("  12000 img/s  ");
    const bytes = { stage: "download", from: 0, done: 5e6, total: 4e7, unit: "bytes" as const, seconds: 2 };
    expect(formatProgress(bytes, 60)).toBe("download  12 %  5.0/40.0 MB  2.5 MB/s  0:14 left");
    expect(formatProgress({ ...bytes, done: 0, seconds: 0 }, 60)).toBe("download  0 %  0.0/40.0 MB");
    // the pace is of what was done since one looks on
    expect(formatProgress({ ...images, from: 4560 }, 60)).toBe("train  60 %  4800/8000  10 img/s  5:20 left");
    expect(formatProgress({ ...images, from: 4800 }, 60)).toBe("train  60 %  4800/8000");
  });
});
