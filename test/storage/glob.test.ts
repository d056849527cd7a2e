import { describe, expect, it } from "vitest";
import { isGlob, matchObjects } from "../../src/storage/glob.ts";
import type { ObjectHead } from "../../src/storage/storage.ts";

const KEYS = ["run-7/a.safetensors", "run-7/b.pt", "run-7/deep/c.safetensors", "run-7/d%20%5B1%5D.safetensors"];

/** Lists the keys below any prefix, and remembers which was asked for. */
function store() {
  const asked: string[] = [];
  async function* list(prefix: string): AsyncIterable<ObjectHead> {
    asked.push(prefix);
    for (const key of KEYS) yield { url: `s3://bucket/${key}`, size: 1, etag: "e" };
  }
  return { list, asked };
}

describe("a pattern of URLs", () => {
  it.each([
    ["s3://bucket/run-7/*.safetensors", "s3://bucket/run-7", [0, 3]],
    ["s3://bucket/run-7/**/*.safetensors", "s3://bucket/run-7", [0, 2, 3]],
    ["s3://bucket/run-[0-9]/*.pt", "s3://bucket", [1]],
    ["s3://bucket/{run-7,run-8}/{a,b}.*", "s3://bucket", [0, 1]],
    ["s3://bucket/*", "s3://bucket", []],
    ["s3://bucket/run-7/d%20*", "s3://bucket/run-7", [3]],
    ["s3://bucket/run-7/d *", "s3://bucket/run-7", [3]],
    ["s3://bucket/run-7/+(a|b).*", "s3://bucket/run-7", []],
  ])("%s matches names below its folder", async (pattern, folder, expected) => {
    const storage = store();
    const found = await matchObjects(storage, pattern, 10);
    expect(found).toEqual(expected.map((i) => `s3://bucket/${KEYS[i]}`));
    expect(storage.asked).toEqual([folder]);
  });

  it.each([
    ["s3://buck*t/a", "unsupported-url"],
    ["s3://*", "unsupported-url"],
    ["*", "unsupported-url"],
    ["run-7/*.safetensors", "unsupported-url"],
    ["s3://bucket/a*b*c*d*e*f*g*h", "unsupported-url"],
    ["s3://bucket/%ff*", "unsupported-url"],
    ["s3://user:secret@bucket/*", "unsupported-url"],
  ])("%s is refused before anything is listed", async (pattern, code) => {
    const storage = store();
    const refused = matchObjects(storage, pattern, 10);
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.not.toThrow("secret");
    expect(storage.asked).toEqual([]);
  });

  it("that more objects match than are wanted is refused", async () => {
    await expect(matchObjects(store(), "s3://bucket/**", 4)).resolves.toHaveLength(4);
    await expect(matchObjects(store(), "s3://bucket/**", 3)).rejects.toMatchObject({ code: "invalid-request" });
  });

  it("is told from a URL", () => {
    expect(["s3://b/*", "s3://b/[a]", "file:///a/{b,c}"].map(isGlob)).toEqual([true, true, true]);
    expect(["s3://b/a", "s3://b/%2A%5Ba%5D", "file:///a/b"].map(isGlob)).toEqual([false, false, false]);
  });
});
