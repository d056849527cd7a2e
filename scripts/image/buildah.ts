import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CollapsarError } from "../../src/errors.ts";

/** buildah with a storage of its own. */
export interface Buildah {
  /** Where the storage keeps its files. */
  readonly root: string;
  /** How a person calls buildah upon this storage. */
  readonly commandLine: string;
  /** Runs a subcommand and returns its trimmed standard output. */
  run(...args: string[]): string;
  /** Runs a subcommand with its output on the console. */
  show(...args: string[]): void;
}

/**
 * Returns buildah with its storage in `folder`. The `vfs` driver copies instead of mounting overlays, so it also works
 * inside a container.
 */
export function buildahIn(folder: string): Buildah {
  const root = join(folder, "storage");
  const options = ["--root", root, "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
  return {
    root,
    commandLine: ["buildah", ...options].join(" "),
    run: (...args) => execute("buildah", [...options, ...args]),
    show: (...args) => {
      execute("buildah", [...options, ...args], "console");
    },
  };
}

/**
 * Runs a program and returns its trimmed standard output, which is empty where it went to the console.
 * @throws CollapsarError `invalid-request` where the program is not installed, `internal` where it failed.
 */
export function execute(program: string, args: readonly string[], output: "returned" | "console" = "returned"): string {
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: output === "console" ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    const remedy = "apt-get install buildah debootstrap";
    throw new CollapsarError("invalid-request", `${program} is not installed: ${remedy}`);
  }
  if (error) throw error;
  if (status !== 0) {
    const outcome = status === null ? `was ended by ${signal}` : `exited with ${status}`;
    throw new CollapsarError("internal", `${program} ${args.join(" ")} ${outcome}\n${stderr ?? ""}`.trimEnd());
  }
  return stdout?.trim() ?? "";
}
