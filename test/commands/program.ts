import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The program as a user starts it. */
export const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in `cwd` with `env` added to the environment, on the embedded database unless that says otherwise. */
export function runProgram(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  const { DATABASE_URL: _, ...rest } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { cwd, env: { ...rest, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
