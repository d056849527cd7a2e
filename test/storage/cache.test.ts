import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CacheFolder, keepInCache, openCached } from "../../src/storage/cache.ts";
import { download } from "../../src/storage/download.ts";
import { fileStorage } from "../../src/storage/file.ts";
import { s3Storage } from "../../src/storage/s3.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { fileUrl } from "../api/samples.ts";
import { clientOf, startS3 } from "../servers/s3.ts";

const PROGRAM = fileURLToPath(new URL("cacheWriter.ts", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const cacheOf = (bytes: number): CacheFolder => ({ folder: join(folder, "cache"), bytes });
const key = (of: string) => ({ kind: "object" as const, of });
const keep = (cache: CacheFolder, of: string, content: Uint8Array | string) =>
  keepInCache(cache, key(of), content.length, (path) => writeFile(path, content));

async function read(cache: CacheFolder, of: string): Promise<string | null> {
  const found = await openCached(cache, key(of));
  if (!found) return null;
  const bytes = Buffer.alloc(found.size);
  await found.readInto(bytes, 0).finally(found.close);
  return String(bytes);
}

/** Bytes of all files, as the limit counts them. */
async function taken({ folder }: CacheFolder): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => Math.max((await stat(join(folder, name))).size, 4096));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The files of contents, without keys. */
const contents = async ({ folder }: CacheFolder) =>
  (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));

describe("the cache", () => {
  it("gives back what was kept, the same content once, and shows no key", async () => {
    const cache = cacheOf(1e6);
    expect(await read(cache, "a")).toBeNull();
    await keep(cache, "https://host/a?signature=secret", "content");
    await keep(cache, "b", "content");
    await keep(cache, "c", "other");
    expect(await read(cache, "https://host/a?signature=secret")).toBe("content");
    expect(await read(cache, "b")).toBe("content");
    expect(await read(cache, "c")).toBe("other");
    expect(await contents(cache)).toHaveLength(2);
    const files = (await readdir(cache.folder)).map((name) => readFile(join(cache.folder, name), "utf8"));
    expect((await Promise.all(files)).join(" ")).not.toContain("secret");
    await keep(cache, "b", "changed");
    expect(await read(cache, "b")).toBe("changed");
  });

  it("keeps nothing where its limit is 0, nor what is larger than its limit", async () => {
    await keep(cacheOf(0), "a", "content");
    await keep(cacheOf(6), "a", "content");
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ["changed", (path: string) => writeFile(path, "cOntent")],
    ["cut off", (path: string) => truncate(path, 3)],
    ["empty", (path: string) => truncate(path, 0)],
    ["removed", (path: string) => rm(path)],
  ])("never gives a content that was %s since, and takes it again", async (_, damage) => {
    const cache = cacheOf(1e6);
    await keep(cache, "a", "content");
    await damage(join(cache.folder, (await contents(cache))[0]!));
    expect(await read(cache, "a")).toBeNull();
    expect(await contents(cache)).toEqual([]);
    await keep(cache, "a", "content");
    expect(await read(cache, "a")).toBe("content");
  });

  it("stays within its limit, and removes what was least recently used, with what a killed process left", async () => {
    const cache = cacheOf(100_000);
    const large = (of: string) => of.repeat(20_000);
    for (const of of ["a", "b", "c"]) await keep(cache, of, large(of));
    await writeFile(join(cache.folder, "left.tmp"), large("x"));
    const ages = { a: 400, b: 300, c: 200 };
    for (const [of, seconds] of Object.entries(ages)) await age(cache, large(of), seconds);
    await utimes(join(cache.folder, "left.tmp"), ago(500), ago(500));
    expect(await read(cache, "a")).toBe(large("a")); // used now
    await keep(cache, "d", large("d"));
    expect(await taken(cache)).toBeLessThanOrEqual(100_000);
    expect(await readdir(cache.folder)).not.toContain("left.tmp");
    expect(await read(cache, "b")).toBeNull();
    for (const of of ["a", "d"]) expect(await read(cache, of), of).toBe(large(of));
  });

  it("stays within its limit however many small contents come", async () => {
    const cache = cacheOf(200_000);
    for (let i = 0; i < 100; i++) await keep(cache, String(i), `content ${i}`.padEnd(3000));
    expect(await taken(cache)).toBeLessThanOrEqual(200_000);
    expect((await contents(cache)).length).toBeGreaterThan(15);
    expect(await read(cache, "99")).not.toBeNull();
    expect(await read(cache, "0")).toBeNull();
  });

  it.each([
    ["the disk is full", () => cacheOf(1e6), () => writeFile("/dev/full", "content")],
    ["it cannot be made", () => ({ folder: join(folder, "file", "cache"), bytes: 1e6 }), async () => {}],
    ["what was written is gone", () => cacheOf(1e6), async () => {}],
  ])("is no error where %s", async (_, cache, write) => {
    await writeFile(join(folder, "file"), "");
    await keepInCache(cache(), key("a"), 7, write);
    expect(await openCached(cache(), key("a"))).toBeNull();
    const left = await readdir(cache().folder).catch(() => []);
    expect(left).toEqual([]);
  });

  it("throws what is wrong in the writing itself, and leaves nothing", async () => {
    const cache = cacheOf(1e6);
    const failing = keepInCache(cache, key("a"), 7, async (path) => {
      await writeFile(path, "con");
      throw new Error("not of the disk");
    });
    await expect(failing).rejects.toThrow("not of the disk");
    expect(await readdir(cache.folder)).toEqual([]);
  });

  it("is shared by processes, of which one is killed in mid-write", async () => {
    const cache = cacheOf(500_000); // 15 of the 40 contents
    const start = (...args: string[]) => spawn(process.execPath, [PROGRAM, cache.folder, String(cache.bytes), ...args]);
    const killed = start("1", "slowly");
    await new Promise<void>((resolve) =>
      killed.stdout.on("data", (text) => String(text).includes("writing") && resolve()),
    );
    killed.kill("SIGKILL");
    const outputs = [start("200"), start("200"), start("200")].map(async (child) => {
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => {
          text += chunk;
        });
      await new Promise((resolve) => child.once("close", resolve));
      return text;
    });
    for (const output of await Promise.all(outputs)) {
      expect(output).not.toMatch(/wrong|damaged/);
      expect(output).toMatch(/done\n$/);
    }
    await keep(cache, "last", "x".repeat(400_000));
    expect(await taken(cache)).toBeLessThanOrEqual(cache.bytes);
    expect((await readdir(cache.folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

/** Makes the content, and the keys that lead to it, as old as that. */
async function age({ folder }: CacheFolder, content: string, seconds: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), "utf8");
    const leads = text.length === 64 && (await readFile(join(folder, text), "utf8")) === content;
    if (text === content || leads) await utimes(join(folder, name), ago(seconds), ago(seconds));
  }
}

const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds);

describe("a download with a cache", () => {
  it("of a file of this machine goes past it", async () => {
    const storage = fileStorage({ roots: null });
    await writeFile(join(folder, "a"), "content");
    await download(storage, fileUrl(folder, "a"), { cache: cacheOf(1e6) });
    expect(await readdir(folder)).toEqual(["a"]);
  });
});

const server = await startS3();
if (server) {
  afterAll(() => server.stop());
  describe("a download from S3 with a cache", () => {
    const storage = s3Storage(clientOf(server.env));
    const url = `s3://${server.bucket}/cached/a`;
    let transfers = 0;
    const counted: Storage = {
      ...storage,
      read(...args) {
        transfers++;
        return storage.read(...args);
      },
    };
    beforeEach(() => {
      transfers = 0;
    });

    it("transfers one version of an object once, and another anew", async () => {
      const options = { cache: cacheOf(1e6) };
      await storage.write(url, Buffer.from("content"));
      const first = await download(counted, url, options);
      const seen: number[][] = [];
      const onProgress = (...progress: number[]) => void seen.push(progress);
      expect(await download(counted, url, { ...options, onProgress })).toEqual({
        ...first,
        bytes: new Uint8Array(first.bytes),
      });
      expect(seen).toEqual([[7, 7]]);
      expect(transfers).toBe(1);
      await storage.write(url, Buffer.from("CONTENT"));
      expect(String(Buffer.from((await download(counted, url, options)).bytes))).toBe("CONTENT");
      expect(transfers).toBe(2);
    });

    it("holds to the limits and to what is there", async () => {
      const cache = cacheOf(1e6);
      await storage.write(url, Buffer.from("content"));
      await download(counted, url, { cache });
      const small = download(counted, url, { cache, maxBytes: 6 });
      await expect(small).rejects.toMatchObject({ code: "object-too-large" });
      await storage.remove(url);
      await expect(download(counted, url, { cache })).rejects.toMatchObject({ code: "object-not-found" });
    });

    it("transfers again what was damaged in the cache", async () => {
      const cache = cacheOf(1e6);
      await storage.write(url, Buffer.from("content"));
      await download(counted, url, { cache });
      await writeFile(join(cache.folder, (await contents(cache))[0]!), "cOntent");
      expect(String(Buffer.from((await download(counted, url, { cache })).bytes))).toBe("content");
      expect(transfers).toBe(2);
      await download(counted, url, { cache });
      expect(transfers).toBe(2);
    });
  });
}
