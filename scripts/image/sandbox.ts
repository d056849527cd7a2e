import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Buildah } from "./buildah.ts";
import type { ImageConfig } from "./description.ts";

/**
 * Becomes the container's first process: namespaces of its own for mounts and processes, the image's files read-only,
 * /tmp in memory, the volume's folder at /data. Arguments: root, volume, user, working folder, then `env -i`'s.
 */
const ENTER = `set -e
root=$1 volume=$2 user=$3 folder=$4; shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$volume" "$root/data"
exec chroot --userspec="$user" --groups= "$root" env -i --chdir="$folder" "$@"`;

/** What a command in the sandbox ended with. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in the sandbox. */
export interface SandboxProcess {
  /** Settles when it has ended. */
  readonly ended: Promise<Outcome>;
  /** Sends a signal to the process itself, which is the first of its namespace as in a container. */
  signal(name: NodeJS.Signals): void;
}

/** An image's files, to run commands in as a container would: its user, its environment, nothing to write but /data. */
export interface Sandbox {
  /** The folder that is /data inside. */
  readonly volume: string;
  start(command: readonly string[], env?: Readonly<Record<string, string>>): SandboxProcess;
  /** Ends what still runs, and removes the volume and the copy of the image's files. */
  remove(): Promise<void>;
}

/** Returns a sandbox over the files of image `name`. The network is the machine's own. */
export function sandboxOf(buildah: Buildah, name: string, { User, Env, WorkingDir }: ImageConfig): Sandbox {
  const container = buildah.run("from", "--pull-never", name);
  const root = buildah.run("mount", container);
  const volume = mkdtempSync(join(tmpdir(), "collapsar-image-"));
  const [uid, gid] = User.split(":").map(Number);
  chownSync(volume, uid!, gid!);
  const started: { readonly child: ChildProcess; readonly ended: Promise<Outcome> }[] = [];
  return {
    volume,
    start(command, env = {}) {
      const environment = [...Env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)];
      const enter = ["sh", "-c", ENTER, "sandbox", root, volume, User, WorkingDir, ...environment, ...command];
      const unshare = ["--mount", "--pid", "--fork", "--kill-child", ...enter];
      const child = spawn("unshare", unshare, { stdio: ["ignore", "pipe", "pipe"] });
      const ended = outcomeOf(child);
      started.push({ child, ended });
      return { ended, signal: (name) => process.kill(onlyChildOf(child.pid!), name) };
    },
    async remove() {
      for (const { child } of started) child.kill("SIGKILL"); // and unshare's child with it
      await Promise.allSettled(started.map(({ ended }) => ended));
      buildah.run("rm", container);
      rmSync(volume, { recursive: true, force: true });
    },
  };
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const [stdout, stderr] = [child.stdout!, child.stderr!].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString().trim();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout: stdout!(), stderr: stderr!() }));
  });
}

/** unshare waits for the one process it forked. */
function onlyChildOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
}
