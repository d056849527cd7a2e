import { Option } from "commander";

/** `--json`: the same result for a program, on standard output. */
export const jsonOption = () => new Option("--json", "print JSON, at full precision");

/** Prints `value` as JSON if `json`, else as the text that `format` makes of it. */
export function print<T>(value: T, json: boolean | undefined, format: (value: T) => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : format(value)}\n`);
}
