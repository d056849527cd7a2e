import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { download } from "../../src/storage/download.ts";
import type { ObjectHead, Storage } from "../../src/storage/storage.ts";

/** What every storage must do. `folder` returns the URL of a new, empty place without a trailing slash. */
export function storageContract(name: string, storage: () => Storage, folder: () => Promise<string>): void {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const textAt = async (url: string) => new TextDecoder().decode((await download(storage(), url)).bytes);

  async function listed(prefix: string): Promise<ObjectHead[]> {
    return Array.fromAsync(storage().list(prefix));
  }

  describe(name, () => {
    it("reads back what was written, with its size and digest", async () => {
      const url = `${await folder()}/runs/a/epoch-1.safetensors`;
      const bytes = randomBytes(300_000);
      const written = await storage().write(url, bytes);
      const { head, bytes: read, sha256 } = await download(storage(), url);
      expect(Buffer.compare(read, bytes)).toBe(0);
      expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(head).toEqual({ url, size: 300_000, etag: written.etag });
      expect(await storage().head(url)).toEqual(head);
    });

    it("reads back an object of many parts", async () => {
      const url = `${await folder()}/large`;
      const bytes = randomBytes(40 * 2 ** 20 + 7);
      const written = await storage().write(url, bytes);
      const { head, sha256 } = await download(storage(), url);
      expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(head).toEqual(written);
    });

    it("reads any range of an object, of the version asked for only", async () => {
      const url = `${await folder()}/a`;
      const bytes = randomBytes(3 * 2 ** 20 + 5);
      const head = await storage().write(url, bytes);
      for (const [start, end] of [
        [0, 1],
        [0, bytes.length],
        [2 ** 20 - 3, 2 ** 20 + 9],
        [bytes.length - 1, bytes.length],
        [7, 7],
      ] as const)
        expect(Buffer.compare(await storage().readRange(head, { start, end }), bytes.subarray(start, end))).toBe(0);
      await storage().write(url, randomBytes(100));
      await expect(storage().readRange(head, { start: 0, end: 10 })).rejects.toMatchObject({
        code: "storage-unavailable",
      });
      await storage().remove(url);
      await expect(storage().readRange(head, { start: 0, end: 10 })).rejects.toMatchObject({
        code: "object-not-found",
      });
    });

    it("keeps an empty object", async () => {
      const url = `${await folder()}/empty`;
      expect((await storage().write(url, new Uint8Array())).size).toBe(0);
      expect((await download(storage(), url)).bytes).toHaveLength(0);
    });

    it("replaces an object and changes its etag", async () => {
      const url = `${await folder()}/a`;
      const before = await storage().write(url, bytesOf("one"));
      const after = await storage().write(url, bytesOf("two"));
      expect(after.etag).not.toBe(before.etag);
      expect(await textAt(url)).toBe("two");
    });

    it("shows a reader only whole objects while others replace them", async () => {
      const url = `${await folder()}/contended`;
      const contents = ["a", "b", "c", "d"].map((letter) => letter.repeat(50_000));
      await storage().write(url, bytesOf(contents[0]!));
      const writes = contents.map((content) => storage().write(url, bytesOf(content)));
      const reads = contents.map(() => textAt(url).catch((error) => error.code));
      for (const read of await Promise.all(reads)) expect([...contents, "storage-unavailable"]).toContain(read);
      await Promise.all(writes);
      expect(contents).toContain(await textAt(url));
    });

    it("lists what is below a prefix, in order of URL, and nothing beside it", async () => {
      const root = await folder();
      const below = ["a/z", "a.b", "a/b/c", "a/b.d", "B", "a b", "z%231"].map((path) => `${root}/run/${path}`);
      for (const url of [...below, `${root}/run-2/x`, `${root}/other`])
        await storage().write(url.replace("a b", "a%20b"), bytesOf(url));
      const expected = below.map((url) => url.replace("a b", "a%20b")).sort();
      expect((await listed(`${root}/run`)).map(({ url }) => url)).toEqual(expected);
      expect((await listed(`${root}/run/`)).map(({ url }) => url)).toEqual(expected);
      expect(await listed(`${root}/none`)).toEqual([]);
    });

    it("lists the heads that `head` returns", async () => {
      const root = await folder();
      const head = await storage().write(`${root}/a`, bytesOf("content"));
      expect(await listed(root)).toEqual([head]);
    });

    it("takes names that need percent-encoding", async () => {
      const root = await folder();
      for (const segment of ["%C3%BC%20%25%3F%23", "a+b=c,d@e", "%E2%88%9A"]) {
        const head = await storage().write(`${root}/${segment}`, bytesOf(segment));
        expect(head.url).toBe(`${root}/${segment}`);
        expect(await textAt(head.url)).toBe(segment);
      }
    });

    it("removes an object, and does not mind when there is none", async () => {
      const url = `${await folder()}/a`;
      await storage().write(url, bytesOf("a"));
      await storage().remove(url);
      await storage().remove(url);
      await expect(storage().head(url)).rejects.toMatchObject({ code: "object-not-found" });
    });

    it("says that an object is not there", async () => {
      const root = await folder();
      await storage().write(`${root}/folder/a`, bytesOf("a"));
      for (const url of [`${root}/none`, `${root}/folder`]) {
        const expected = { code: "object-not-found", retryable: false, message: expect.stringContaining(url) };
        await expect(storage().head(url)).rejects.toMatchObject(expected);
        await expect(storage().read(url)).rejects.toMatchObject(expected);
      }
    });

    it("refuses URLs that no object has", async () => {
      const root = await folder();
      for (const end of ["/", "/a/", "//a", "/a//b", "/a?b", "/a#b", "/a%00b", "/a%FF", "/a%", "/a%2F..%2Fb"]) {
        const url = `${root}${end}`;
        const expected = { code: "unsupported-url", retryable: false };
        await expect(storage().head(url), url).rejects.toMatchObject(expected);
        await expect(storage().read(url), url).rejects.toMatchObject(expected);
        await expect(storage().write(url, bytesOf("a")), url).rejects.toMatchObject(expected);
        await expect(storage().remove(url), url).rejects.toMatchObject(expected);
      }
      expect(await listed(root)).toEqual([]);
    });

    it("ends with the reason of an aborted signal", async () => {
      const root = await folder();
      const url = `${root}/a`;
      await storage().write(url, randomBytes(40 * 2 ** 20));
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      await expect(storage().head(url, { signal })).rejects.toBe(reason);
      await expect(storage().read(url, { signal })).rejects.toBe(reason);
      await expect(storage().write(`${root}/b`, bytesOf("b"), { signal })).rejects.toBe(reason);
      await expect(storage().remove(url, { signal })).rejects.toBe(reason);
      await expect(Array.fromAsync(storage().list(root, { signal }))).rejects.toBe(reason);
      expect((await listed(root)).map(({ url }) => url)).toEqual([url]);
    });

    it("stops in the middle of a read", async () => {
      const url = `${await folder()}/a`;
      await storage().write(url, randomBytes(40 * 2 ** 20));
      const controller = new AbortController();
      const reason = new Error("enough");
      const onProgress = () => controller.abort(reason);
      await expect(download(storage(), url, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    });

    it("stops in the middle of a write and leaves what was there", async () => {
      const url = `${await folder()}/a`;
      await storage().write(url, bytesOf("before"));
      const controller = new AbortController();
      const reason = new Error("enough");
      const write = storage().write(url, randomBytes(60 * 2 ** 20), { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 5);
      await expect(write).rejects.toBe(reason);
      expect(await textAt(url)).toBe("before");
    });

    it("reports the progress of a download up to the end", async () => {
      const url = `${await folder()}/a`;
      const size = 3 * 2 ** 20;
      await storage().write(url, randomBytes(size));
      const progress: [number, number][] = [];
      await download(storage(), url, { onProgress: (...received) => progress.push(received) });
      expect(progress.at(-1)).toEqual([size, size]);
      expect(progress.map(([received]) => received)).toEqual(
        progress.map(([received]) => received).sort((a, b) => a - b),
      );
    });

    it("refuses what is larger than the limit, naming both sizes", async () => {
      const url = `${await folder()}/a`;
      await storage().write(url, randomBytes(1001));
      expect((await download(storage(), url, { maxBytes: 1001 })).bytes).toHaveLength(1001);
      await expect(download(storage(), url, { maxBytes: 1000 })).rejects.toMatchObject({
        code: "object-too-large",
        message: `"${url}" has 1001 bytes, more than the limit of 1000`,
      });
    });
  });
}
