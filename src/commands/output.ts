import { type Command, Option } from "commander";

/** What every command takes: how its result is printed. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds the options of OutputOptions to a command. */
export function addOutputOptions(command: Command): void {
  command
    .addOption(new Option("--json", "print JSON, at full precision"))
    .addOption(new Option("--quiet", "show no progress, and of the result only what another command can take"));
}

/**
 * Prints `value`: as JSON, as the text that `format` makes of it for people, or, where nothing but the result is wanted,
 * as that of `brief`; an empty text is not printed.
 */
export function print<T>(
  value: T,
  { json, quiet }: OutputOptions,
  format: (value: T) => string,
  brief: (value: T) => string = format,
): void {
  const text = json ? JSON.stringify(value, null, 2) : (quiet ? brief : format)(value);
  if (text) process.stdout.write(`${text}\n`);
}
