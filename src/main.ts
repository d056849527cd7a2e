import { Command, CommanderError } from "commander";
import { addCompletion } from "./commands/completion.ts";
import { addOutputOptions } from "./commands/output.ts";
import { ENVIRONMENT } from "./environment.ts";
import { asCollapsarError } from "./errors.ts";
import { VERSION } from "./version.ts";

/** Exit codes of every command. */
const EXIT = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** Adds arguments, options and the action of a command to `command`, which has its name and description. */
type Definition = (command: Command) => void;

/**
 * Every command: what it does, and the module that defines it, which is loaded when the command is named. A definition
 * is light; its action imports what the work needs.
 */
const COMMANDS: Readonly<Record<string, readonly [description: string, load: () => Promise<{ define: Definition }>]>> =
  {
    serve: ["Serve the HTTP API and evaluate what is submitted to it.", () => import("./commands/serve.ts")],
    worker: [
      "Evaluate what is queued in the database, beside other workers and services.",
      () => import("./commands/worker.ts"),
    ],
    migrate: [
      "Create the database or bring its schema up to date (serve and worker do so at their start).",
      () => import("./commands/migrate.ts"),
    ],
    evaluate: [
      "Evaluate a checkpoint and record its metrics; the same again is answered from the record.",
      () => import("./commands/evaluate.ts"),
    ],
    extract: [
      "Write the penultimate features and logits of a checkpoint over a dataset.",
      () => import("./commands/extract.ts"),
    ],
    metrics: ["Print all metrics of a features file (see extract).", () => import("./commands/metrics.ts")],
    convert: [
      "Write a checkpoint in another format, with all that is known of its network.",
      () => import("./commands/convert.ts"),
    ],
    train: [
      "Train a batch of networks, one per loss, normalisation and seed; push a checkpoint after every epoch.",
      () => import("./commands/train.ts"),
    ],
    push: [
      "Store a checkpoint of any training under the name and with the metadata that the service expects.",
      () => import("./commands/push.ts"),
    ],
    data: ["Datasets that are read from files: which are here, and adding one.", () => import("./commands/data.ts")],
    runs: ["List the recorded runs, or the metrics of one run over its epochs.", () => import("./commands/runs.ts")],
    evaluations: ["List the newest evaluations, or cancel or retry one.", () => import("./commands/evaluations.ts")],
    aggregate: [
      "Print mean ± 95 % interval over the seeds of each group (--json, --csv: n, sd, se, median, each seed).",
      () => import("./commands/aggregate.ts"),
    ],
    compare: [
      "Compare two groups metric by metric: mean ± 95 % interval, difference, p after Holm, Hedges' g.",
      () => import("./commands/compare.ts"),
    ],
    correlate: [
      "Correlate two metrics over runs, all and of each group: r and its 95 % bootstrap interval, p.",
      () => import("./commands/correlate.ts"),
    ],
    export: ["Hand what is recorded to other programs: Parquet, MLflow.", () => import("./commands/export.ts")],
    open: ["Start the browser at the dashboard of the running service.", () => import("./commands/open.ts")],
    doctor: [
      "Check runtime, database, storage, engines, data and access, and say what to fix.",
      () => import("./commands/doctor.ts"),
    ],
    token: ["Make, list and revoke the bearer tokens of the service.", () => import("./commands/token.ts")],
    completion: [
      "Print the script that completes commands and options in a shell.",
      () => import("./commands/completion.ts"),
    ],
  };

/**
 * Runs the command line with the arguments after the program's name, and returns the exit code: 0 done, 1 failed,
 * 2 wrong usage. A failure is one line on standard error.
 */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT.done); // who reads has enough, as head has
  });
  try {
    const root = await program(args);
    await root.parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
    const { code, message } = asCollapsarError(error);
    console.error(`collapsar: ${message} (${code})`);
    return EXIT.failed;
  }
}

/** Returns all commands, of which those that `args` name are defined and the others can only be listed. */
async function program(args: readonly string[]): Promise<Command> {
  const root: Command = new Command("collapsar")
    .description("Neural-collapse evaluation of stored checkpoints.")
    .version(VERSION)
    .addHelpText("after", () => `\nEnvironment:\n${environmentHelp(root)}`);
  for (const [name, [description, load]] of Object.entries(COMMANDS)) {
    const command = root.command(name).description(description);
    if (args.includes(name)) (await load()).define(command);
    for (const leaf of command.commands.length > 0 ? command.commands : [command]) addOutputOptions(leaf);
  }
  const all = [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)];
  const shells = addCompletion(root); // hidden, and asked by the scripts of completion
  for (const command of [...all, shells]) command.exitOverride().showHelpAfterError("(--help tells more)");
  return root;
}

/** Returns the environment variables as the commands are listed, in lines that fit the terminal. */
function environmentHelp(root: Command): string {
  const help = root.createHelp();
  help.prepareContext({ helpWidth: process.stdout.columns ?? 80 });
  const width = Math.max(...Object.keys(ENVIRONMENT).map(({ length }) => length));
  return Object.entries(ENVIRONMENT)
    .map(([name, text]) => help.formatItem(name, width, text, help))
    .join("\n");
}
