import { type BigIntStats, closeSync, fstat, fstatSync, open, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

/** Of Linux: opens no file, but what stands for its place. */
const O_PATH = 0o10000000;
const openPlace = promisify(open);
const statLater = promisify(fstat);

/** File systems that answer at once what they were just asked for; those of a network or another program may not. */
const LOCAL = /^(ext[234]|xfs|btrfs|zfs|f2fs|tmpfs|overlay)$/;

/**
 * Returns what is at `path`, and that no link leads from there elsewhere, both of one open place, so that nobody can exchange it
 * in between; one call waits for another thread, which takes longer than all that is done here. Null where that cannot be
 * told: of what is not there or must not be read, of a path with links, and of systems other than Linux.
 */
export async function lookAt(path: string): Promise<BigIntStats | null> {
  if (process.platform !== "linux") return null;
  let place: number | undefined;
  try {
    place = await openPlace(path, O_PATH);
    // of links into /proc the kernel tells a path that is not ours
    if (readlinkSync(`/proc/self/fd/${place}`) !== path) return null;
    const stats = isLocal(place) ? fstatSync(place, { bigint: true }) : await statLater(place, { bigint: true });
    return stats.nlink > 0n ? stats : null;
  } catch {
    return null; // those who then ask step by step are told why
  } finally {
    if (place !== undefined) closeSync(place);
  }
}

/** Whether what mount points were seen to hold is local, by their ids. */
let mounts = new Map<string, boolean>();

/** Returns whether what is open as `descriptor` lies on a file system of this machine alone. */
function isLocal(descriptor: number): boolean {
  const id = /^mnt_id:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "";
  if (!mounts.has(id)) mounts = readMounts();
  return mounts.get(id) ?? false;
}

/** A line is `ID parent major:minor root point options … - type source options` (proc_pid_mountinfo(5)). */
function readMounts(): Map<string, boolean> {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return new Map(lines.map((line) => [line.split(" ", 1)[0]!, LOCAL.test(/ - (\S+) /.exec(line)?.[1] ?? "")]));
}
