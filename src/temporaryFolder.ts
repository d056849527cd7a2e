import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Returns what `use` returns of a folder of its own, which is removed with all in it when `use` has ended. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "collapsar-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
