import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { nested } from "../../src/commands/nested.ts";
import { checkpointBytes, emptyFolder } from "../api/samples.ts";
import { floats, GOLDEN, golden, relativeDifference } from "../golden.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await emptyFolder();
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a user would, in an empty folder. */
function collapsar(...args: string[]): Promise<Ended> {
  return collapsarWith({}, ...args);
}

function collapsarWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  const { DATABASE_URL: _, ...rest } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { cwd: folder, env: { ...rest, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

describe("collapsar metrics", () => {
  const cases = readdirSync(GOLDEN).filter((file) => /^metrics-.*\.json$/.test(file));

  it.each(cases)("gives every NC value and the test accuracy of %s", async (file) => {
    const { expected, calibration, case: name } = JSON.parse(readFileSync(new URL(file, GOLDEN), "utf8"));
    const features = fileURLToPath(new URL(file.replace(".json", ".safetensors"), GOLDEN));
    const { code, stdout } = await collapsar("metrics", features, "--json");
    expect(code).toBe(0);
    const metrics = JSON.parse(stdout);
    const relative = name === "large-offset" ? 1e-8 : 1e-9;
    for (const [metric, value] of Object.entries<number>(expected)) {
      const tolerance = Math.abs(value) < 1e-12 ? 1e-12 : relative * Math.abs(value);
      expect(Math.abs(metrics[metric] - value), `${metric}: ${metrics[metric]}, expected ${value}`).toBeLessThanOrEqual(
        tolerance,
      );
    }
    expect(metrics.nc4_error).toBe(expected.nc4_error);
    expect(metrics.nc4_mismatch).toBe(expected.nc4_mismatch);
    expect(metrics.accuracy).toBe(calibration?.accuracy);
  });
});

describe("collapsar evaluate, extract and metrics", () => {
  it("agree to the last bit, and the record keeps every bit", async () => {
    await writeFile(join(folder, "c.safetensors"), checkpointBytes());
    const home = { COLLAPSAR_HOME: join(folder, "home-agree") };
    const asked = [
      "c.safetensors",
      "--dataset",
      "digits",
      "--ood",
      "fashion-sample",
      "--validation",
      "digits:validation",
    ];
    const evaluation = await collapsarWith(home, "evaluate", ...asked, "--json");
    expect(evaluation.stderr).toBe("");
    await collapsarWith(home, "extract", "c.safetensors", "--dataset", "digits", "--out", "train.safetensors");
    await collapsarWith(home, "extract", "c.safetensors", "--dataset", "digits:test", "--out", "test.safetensors");
    const others = { "fashion-sample": "fashion-sample:test", validation: "digits:validation" };
    for (const [file, dataset] of Object.entries(others))
      await collapsarWith(home, "extract", "c.safetensors", "--dataset", dataset, "--out", `${file}.safetensors`);
    const files = ["--test", "test.safetensors", "--validation", "validation.safetensors"];
    const named = [...files, "--ood", "fashion-sample.safetensors"];
    const metrics = await collapsarWith(home, "metrics", "train.safetensors", ...named, "--json");
    const { values, omitted, run, epoch } = JSON.parse(evaluation.stdout);
    expect({ run, epoch }).toEqual({ run: "tiny", epoch: 1 }); // as its metadata say
    expect(values.samples).toBe(8000);
    expect(values["auroc:fashion-sample:mahalanobis"]).toBeGreaterThan(0);
    expect(nested({ values, omitted })).toEqual(JSON.parse(metrics.stdout));

    const recorded = await collapsarWith(home, "runs", run, "--json");
    expect(JSON.parse(recorded.stdout).metrics[0].values).toEqual(values);
    const again = await collapsarWith(home, "evaluate", ...asked, "--json");
    expect(JSON.parse(again.stdout).id).toBe(JSON.parse(evaluation.stdout).id);
    const table = await collapsarWith(home, "aggregate", "--metrics", "nc1");
    expect(table.stdout).toMatch(/nc1 +\S+/);
  });
});

describe("collapsar convert", () => {
  const TORCH = fileURLToPath(new URL("../fixtures/torch/checkpoints/mnist.zip.pt", import.meta.url));
  const normalisation = ["--network", "mean=0.1307", "--network", "std=0.3081"];

  async function featuresOf(checkpoint: string): Promise<Float32Array> {
    const options = ["--dataset", "digits:test", "--out", "features.safetensors", "--json"];
    const { code, stdout, stderr } = await collapsar("extract", checkpoint, ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      images: 2000,
      dimensions: 64,
      classes: 10,
      imagesPerSecond: expect.any(Number),
    });
    return floats(readSafetensors(readFileSync(join(folder, "features.safetensors"))), "features");
  }

  it("writes what gives the same features, with all that was said of the network", async () => {
    const written = [
      ["safetensors", "converted.safetensors", []],
      ["onnx", "normalised.onnx", []],
      ["onnx", "pixels.onnx", ["--input", "pixels"]],
    ] as const;
    for (const [format, out, more] of written) {
      const { code, stdout } = await collapsar(
        "convert",
        TORCH,
        "--to",
        format,
        "--out",
        out,
        ...normalisation,
        ...more,
      );
      expect(code).toBe(0);
      expect(stdout).toMatch(/^\d+ bytes → file:\/\/.*/);
    }
    const [reference, ...others] = [
      await featuresOf("converted.safetensors"),
      await featuresOf("normalised.onnx"),
      await featuresOf("pixels.onnx"),
    ];
    for (const features of others) expect(relativeDifference(features, reference!)).toBeLessThan(1e-5);
    const { metadata, tensors } = readSafetensors(readFileSync(join(folder, "converted.safetensors")));
    expect(metadata).toMatchObject({ arch: "resnet18", variant: "mnist", width: "8", mean: "0.1307", std: "0.3081" });
    expect(tensors).toEqual(golden("resnet18-mnist").tensors);
  });

  it("refuses what would lose the network", async () => {
    await collapsar("convert", TORCH, "--to", "onnx", "--out", "again.onnx");
    const { code, stderr } = await collapsar(
      "convert",
      "again.onnx",
      "--to",
      "safetensors",
      "--out",
      "lost.safetensors",
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/ONNX file, which is not converted further \(unsupported-network\)/);
  });
});

describe("a mistake on the command line", () => {
  beforeAll(async () => {
    await writeFile(join(folder, "garbage.safetensors"), "garbage");
    await writeFile(join(folder, "wrong.safetensors"), checkpointBytes({ metadata: { width: "4" } }));
    await writeFile(join(folder, "good.safetensors"), checkpointBytes());
    await mkdir(join(folder, "a-folder"), { recursive: true });
  });

  const failures: [string, string[], RegExp][] = [
    ["a missing file", ["metrics", "none.safetensors"], /none\.safetensors.*\(object-not-found\)/],
    ["garbage", ["metrics", "garbage.safetensors"], /\(malformed-checkpoint\)/],
    ["a folder", ["evaluate", "a-folder", "--dataset", "digits"], /a-folder/],
    [
      "an unknown scheme",
      ["evaluate", "ftp://host/file", "--dataset", "digits"],
      /ftp:\/\/host\/file.*\(unsupported-url\)/,
    ],
    ["a checkpoint as features", ["metrics", "good.safetensors"], /"weight".*\(wrong-shape\)/],
    [
      "a wrong shape",
      ["extract", "wrong.safetensors", "--dataset", "digits", "--out", "o"],
      /conv1\.weight.*\(wrong-shape\)/,
    ],
    ["an unknown dataset", ["evaluate", "good.safetensors", "--dataset", "digitz"], /digitz.*\(unknown-dataset\)/],
    ["an unknown run", ["runs", "none"], /"none".*\(not-found\)/],
  ];
  it.each(failures)("that fails exits 1 with one line: %s", async (_, args, line) => {
    const { code, stdout, stderr } = await collapsar(...args);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["evaluat"]],
    ["an unknown option", ["runs", "--grup", "ce"]],
    ["a missing argument", ["metrics"]],
    ["a missing option", ["extract", "good.safetensors"]],
    ["an engine nobody has", ["evaluate", "good.safetensors", "--engine", "abacus"]],
    ["a network key nobody knows", ["evaluate", "good.safetensors", "--network", "depth=3"]],
    ["a port that is none", ["serve", "--port", "99999"]],
  ])("of usage exits 2 and says so: %s", async (_, args) => {
    const { code, stderr } = await collapsar(...args);
    expect(stderr).toMatch(/error|Usage/);
    expect(code).toBe(2);
  });

  it("in the environment exits 1 and names the variable", async () => {
    const { code, stderr } = await collapsarWith({ PORT: "many" }, "runs");
    expect(stderr).toMatch(/^collapsar: environment variable PORT: expected a whole number from 0 to 65535 /);
    expect(code).toBe(1);
  });
});

describe("help", () => {
  it("lists the commands and the environment, and exits 0", async () => {
    const { code, stdout } = await collapsar("--help");
    expect(code).toBe(0);
    for (const word of ["serve", "worker", "evaluate", "extract", "metrics", "train", "runs", "aggregate", "migrate"])
      expect(stdout).toMatch(new RegExp(`^  ${word}\\b`, "m"));
    expect(stdout).toContain("COLLAPSAR_HOME");
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it("names no default that is none", async () => {
    for (const command of ["evaluate", "metrics", "train", "worker"])
      expect((await collapsar(command, "--help")).stdout).not.toMatch(/default:\s+(\[\]|\{\}|false)/);
  });
});
