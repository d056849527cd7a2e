import { Command, CommanderError } from "commander";
import { aggregateCommand } from "./commands/aggregate.ts";
import { compareCommand } from "./commands/compare.ts";
import { convertCommand } from "./commands/convert.ts";
import { correlateCommand } from "./commands/correlate.ts";
import { dataCommand } from "./commands/data.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { evaluationsCommand } from "./commands/evaluations.ts";
import { extractCommand } from "./commands/extract.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { runsCommand } from "./commands/runs.ts";
import { serveCommand } from "./commands/serve.ts";
import { tokenCommand } from "./commands/token.ts";
import { trainCommand } from "./commands/train.ts";
import { workerCommand } from "./commands/worker.ts";
import { ENVIRONMENT } from "./config.ts";
import { asCollapsarError } from "./errors.ts";
import { VERSION } from "./version.ts";

/** Exit codes of every command. */
const EXIT = { done: 0, failed: 1, wrongUsage: 2 } as const;

/**
 * Runs the command line with the arguments after the program's name, and returns the exit code: 0 done, 1 failed,
 * 2 wrong usage. A failure is one line on standard error.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
    const { code, message } = asCollapsarError(error);
    console.error(`collapsar: ${message} (${code})`);
    return EXIT.failed;
  }
}

/** The commands. What loads the database, the queue or the API does so when it runs: they take 150 MiB and 0.2 s. */
function program(): Command {
  const root = new Command("collapsar")
    .description("Neural-collapse evaluation of stored checkpoints.")
    .version(VERSION)
    .addHelpText("after", `\nEnvironment:\n${environmentHelp()}`);
  const commands = [
    serveCommand,
    workerCommand,
    migrateCommand,
    evaluateCommand,
    extractCommand,
    metricsCommand,
    convertCommand,
    trainCommand,
    dataCommand,
    runsCommand,
    evaluationsCommand,
    aggregateCommand,
    compareCommand,
    correlateCommand,
    tokenCommand,
  ];
  for (const command of commands) root.addCommand(command());
  const all = [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)];
  for (const command of all) command.exitOverride().showHelpAfterError("(--help tells more)");
  return root;
}

function environmentHelp(): string {
  return Object.entries(ENVIRONMENT)
    .map(([name, text]) => `  ${name.padEnd(21)} ${text}`)
    .join("\n");
}
