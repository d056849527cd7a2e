import { spawnSync } from "node:child_process";
import { CollapsarError } from "../../src/errors.ts";

/**
 * Runs a program to its end and returns its standard output.
 * @throws CollapsarError `missing-engine` with the last line of its complaint, or with `absent` where there is no such program.
 */
export function run(program: string, args: readonly string[], absent = `${program} is not here`): string {
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new CollapsarError("missing-engine", missing ? absent : `${program}: ${error.message}`);
  }
  if (status !== 0)
    throw new CollapsarError(
      "missing-engine",
      complaintOf(program, stderr || stdout) || `${program} ended by ${signal ?? status}`,
    );
  return stdout;
}

/** Of all that a tool writes, the line that says what is wrong. */
function complaintOf(program: string, output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const line = lines.find((text) => /\berror\b/i.test(text)) ?? lines.at(-1);
  return line ? `${program}: ${line}` : "";
}
