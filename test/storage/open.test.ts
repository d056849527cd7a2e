import { describe, expect, it } from "vitest";
import { openStorage } from "../../src/storage/open.ts";
import { redactUrl } from "../../src/storage/url.ts";

describe("openStorage", () => {
  const storage = openStorage({ fileRoots: null });

  it.each(["http://host/a", "ftp://host/a", "gs://bucket/a", "/absolute/path", "relative", "", "s3 ://bucket/a"])(
    "names the schemes there are when asked for %j",
    async (url) => {
      const expected = { code: "unsupported-url", message: expect.stringMatching(/\bfile, s3 or https\b/) };
      await expect(storage.head(url)).rejects.toMatchObject(expected);
      await expect(storage.read(url)).rejects.toMatchObject(expected);
      await expect(storage.write(url, new Uint8Array())).rejects.toMatchObject(expected);
      await expect(storage.remove(url)).rejects.toMatchObject(expected);
      await expect(Array.fromAsync(storage.list(url))).rejects.toMatchObject(expected);
    },
  );

  it("takes schemes in any case", async () => {
    await expect(storage.head("FILE:///none/at/all")).rejects.toMatchObject({ code: "object-not-found" });
  });
});

describe("redactUrl", () => {
  it.each([
    ["s3://bucket/a/b", "s3://bucket/a/b"],
    ["https://user:password@host/a", "https://host/a"],
    ["https://host/a?X-Amz-Signature=secret#part", "https://host/a"],
    ["https://token@host", "https://host"],
    ["s3://bucket/a@b", "s3://bucket/a@b"],
    ["not a url?secret", "not a url"],
    ["https://user:pass\nword@host/a?secret\nsecret", "https://host/a"],
  ])("shows %j as %j", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});
