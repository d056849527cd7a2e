import { readFileSync } from "node:fs";

/** Whether this processor multiplies tiles of bytes (AMX). */
export const HAS_TILES = process.platform === "linux" && /\bamx_int8\b/.test(readText("/proc/cpuinfo"));

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
