import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { keepInCache, openCached } from "../../src/storage/cache.ts";

// One of several processes on a folder: `cacheWriter.ts FOLDER BYTES ROUNDS [SLOWLY]`, says where it is, and what was wrong.
const [folder, limit, rounds, slowly] = process.argv.slice(2);
const cache = { folder: folder!, bytes: Number(limit) };

/** What belongs to a key, the same in every process. */
export function contentOf(of: string): Buffer {
  return Buffer.concat(Array.from({ length: 512 }, (_, i) => createHash("sha512").update(`${of} ${i}`).digest()));
}

for (let round = 0; round < Number(rounds); round++) {
  const of = String(round % 40);
  const found = await openCached(cache, { kind: "object", of });
  if (found) {
    const bytes = Buffer.alloc(found.size);
    await found.readInto(bytes, 0).finally(found.close);
    if (!bytes.equals(contentOf(of))) console.log(`wrong ${of}`);
  }
  const content = contentOf(of);
  await keepInCache(cache, { kind: "object", of }, content.length, async (path) => {
    const file = await open(path, "w");
    await file.write(content.subarray(0, 1000));
    console.log(`writing ${of}`);
    if (slowly) await new Promise((resolve) => setTimeout(resolve, 60_000));
    await file.write(content.subarray(1000));
    await file.close();
  });
}
console.log("done");
