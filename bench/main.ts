/**
 * The bench: ourselves beside other programs on this machine; same threads, same weights or features, interleaved. Prints
 * tables and writes bench/results/<name>.json.
 */
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { wholeNumber } from "../src/commands/options.ts";
import { benchAggregate } from "./aggregate/bench.ts";
import { benchDashboard } from "./dashboard/bench.ts";
import { benchInference } from "./inference/bench.ts";
import { ARCHITECTURES, type Architecture } from "./inference/files.ts";
import { OURS } from "./inference/programs.ts";
import { benchLoad } from "./load/bench.ts";
import { benchOverhead } from "./load/overhead.ts";
import { benchGmm } from "./metrics/gmm.ts";
import { benchCollapse } from "./metrics/nc.ts";
import { benchScale } from "./metrics/scale.ts";
import { benchStart } from "./start/bench.ts";
import { benchTraining } from "./training/bench.ts";

const results = (name: string) => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

const names = (text: string) => text.split(",");
const PYTHON = "a Python that has bench/requirements.txt (default: one is made in bench/.venv)";

const program = new Command("npm run bench --").description("Measure ourselves beside other programs on this machine.");

program
  .command("inference", { isDefault: true })
  .description("feature extraction beside PyTorch, OpenVINO and ONNX Runtime")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--images <n>", "images per run, a multiple of 256 (default: 1024 for resnet18, 512 for resnet50)", blocks)
  .option("--only <names>", `programs beside ${OURS}, by commas (default: all)`, names)
  .option("--arch <names>", "architectures, by commas", architectures, ARCHITECTURES)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("inference"))
  .action(benchInference);

program
  .command("training")
  .description("training steps beside PyTorch's")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--cases <names>", "such as width64-batch32, by commas; of the others the results stay (default: all)", names)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("training"))
  .action(benchTraining);

program
  .command("metrics <checkout>")
  .description("NC1 to NC4 from given features, beside rhubarbwu's neural-collapse of that checkout")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 3)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("metrics"))
  .action((checkout, options) => benchCollapse({ checkout, ...options }));

program
  .command("gmm <checkout>")
  .description("fit and scores of the GMM, beside DDU's own code of that checkout")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("gmm"))
  .action((checkout, options) => benchGmm({ checkout, ...options }));

program
  .command("scale")
  .description(
    "NC1 to NC4 of up to 1,281,167×2,048 features from disk (15.6 GB, made once), and the fit of time to size",
  )
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("scale"))
  .action(benchScale);

program
  .command("aggregate")
  .description("GET /aggregate over a million values, beside the bare SQL (needs PostgreSQL)")
  .option("--out <file>", "where the results go", results("aggregate"))
  .action(benchAggregate);

program
  .command("load")
  .description("requests a second of the service beside bare Hono routes, and its memory under load (needs PostgreSQL)")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--seconds <n>", "of every run", wholeNumber(1), 4)
  .option("--minutes <n>", "of the watch over memory", wholeNumber(0), 0)
  .option("--out <file>", "where the results go", results("load"))
  .action(benchLoad);

program
  .command("start")
  .description("the API and a worker from exec to ready and to the first batch (needs PostgreSQL)")
  .option("--rounds <n>", "starts of every program", wholeNumber(1), 5)
  .option("--out <file>", "where the results go", results("start"))
  .action(benchStart);

program
  .command("overhead")
  .description("evaluations that do no work, beside pg-boss alone (needs PostgreSQL)")
  .option("--count <n>", "of them", wholeNumber(2), 200)
  .option("--out <file>", "where the results go", results("overhead"))
  .action(benchOverhead);

program
  .command("dashboard")
  .description("the API's answers, the first page and the charts over 10,000 runs (needs PostgreSQL and Chromium)")
  .option("--out <file>", "where the results go", results("dashboard"))
  .action(benchDashboard);

function blocks(text: string): number {
  const count = wholeNumber(256)(text);
  if (count % 256 !== 0) throw new InvalidArgumentError("expected a multiple of 256, the largest batch.");
  return count;
}

function architectures(text: string): readonly Architecture[] {
  const names = text.split(",");
  const isKnown = (name: string): name is Architecture => (ARCHITECTURES as readonly string[]).includes(name);
  if (names.every(isKnown)) return names;
  throw new InvalidArgumentError(`expected ${ARCHITECTURES.join(", ")}.`);
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
