import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { CollapsarError } from "../errors.ts";
import { lookAt } from "./look.ts";
import { redactUrl } from "./url.ts";

/** What a place may be asked for, when it lies where it must. */
export interface Confined {
  /**
   * Returns where `path`, the target of `url`, really lies, whether it exists or not, all symbolic links resolved; where
   * nothing is confined, `path` as it is.
   * @throws CollapsarError `forbidden-url` for what does not lie below (or is) one of the roots.
   */
  placeOf(url: string, path: string): Promise<string>;
  /** Returns what the file system tells of it. @throws as `placeOf`, and as the file system. */
  statOf(url: string, path: string): Promise<BigIntStats>;
}

/** Returns how to reach what lies below one of `roots`; null: anywhere. */
export function confineTo(roots: readonly string[] | null): Confined {
  /** Where the roots were when it was last looked up: to ask for each path again is half of what a look at it costs. */
  let known: readonly string[] = [];

  async function placeOf(url: string, path: string): Promise<string> {
    if (!roots) return path;
    const real = await realPath(path);
    if (liesBelow(known, real)) return real;
    known = await Promise.all(roots.map(realPath)); // one may have been made, or be a link that was changed
    if (liesBelow(known, real)) return real;
    const message = `"${redactUrl(url)}" is outside the folders this service may use (its COLLAPSAR_FILE_ROOT and home)`;
    throw new CollapsarError("forbidden-url", message);
  }

  return {
    placeOf,
    async statOf(url, path) {
      const found = roots && (await lookAt(path));
      if (found && liesBelow(known, path)) return found;
      return stat(await placeOf(url, path), { bigint: true });
    },
  };
}

function liesBelow(roots: readonly string[], real: string): boolean {
  return roots.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep));
}

/** Returns a handler of rejections that answers `value` where the file does not exist, and throws anything else. */
export function absentAs<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return value;
    throw error;
  };
}

/** Returns the real path of what exists of `path`, followed by the rest as it is. */
async function realPath(path: string): Promise<string> {
  const real = await realpath(path).catch(absentAs(null));
  return real ?? join(await realPath(dirname(path)), basename(path));
}
