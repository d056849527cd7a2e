import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "./processes.ts";

/** The file of the smallest network fits, until the disk is filled. */
const MEBIBYTES = 4;
/** Of 1024 bytes, or of 512: either is less than the file of the smallest network. */
const LONGEST_FILE = 16;

/** A disk for the temporary files of one worker that can be full. */
export interface SmallDisk {
  /** `tmpfs`; where nothing may be mounted `ulimit`: files of the worker cannot grow, which stands for it. */
  readonly kind: "tmpfs" | "ulimit";
  /** Folder for TMPDIR. */
  readonly folder: string;
  /** What the shell runs before the worker. */
  shell(): string;
  fill(worker: Member): Promise<void>;
  free(worker: Member): Promise<void>;
  remove(): void;
}

/** Makes the disk at `folder`. */
export function makeSmallDisk(folder: string): SmallDisk {
  mkdirSync(folder);
  return mount(folder) ? tmpfs(folder) : limit(folder);
}

function tmpfs(folder: string): SmallDisk {
  const ballast = join(folder, "ballast");
  return {
    kind: "tmpfs",
    folder,
    shell: () => ":",
    async fill() {
      // what is there already and what comes while it is filled: more than there is room for
      try {
        writeFileSync(ballast, Buffer.alloc(MEBIBYTES * 2 ** 20));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    async free() {
      rmSync(ballast);
    },
    remove: () => void execFileSync("umount", ["-l", folder]),
  };
}

/** A limit is for the whole life of a process: another one has it, and another one is rid of it. */
function limit(folder: string): SmallDisk {
  let full = false;
  const become = (state: boolean) => async (worker: Member) => {
    full = state;
    await worker.end("SIGKILL");
  };
  return {
    kind: "ulimit",
    folder,
    shell: () => (full ? `ulimit -f ${LONGEST_FILE}` : ":"),
    fill: become(true),
    free: become(false),
    remove() {},
  };
}

function mount(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${MEBIBYTES}m`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false; // not permitted here
  }
}
