import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openStorage } from "../../src/storage/open.ts";
import { requireAllowed } from "../../src/storage/policy.ts";

const allowedBy = (COLLAPSAR_ALLOW: string) => readConfig({ COLLAPSAR_ALLOW }).allowed;

describe("COLLAPSAR_ALLOW", () => {
  it.each([
    ["s3:", "s3://any/a"],
    ["s3://models", "s3://models/a/b"],
    ["file:", "file:///a"],
    ["https://*.example.org", "https://a.b.example.org/x?y"],
    ["https://host:8443", "https://HOST:8443/a"],
    ["https://host", "https://host:443/a"],
    ["s3://one, https:", "https://any/a"],
  ])("%s lets %s pass", (entry, url) => {
    expect(() => requireAllowed(url, allowedBy(entry))).not.toThrow();
  });

  it.each([
    ["s3://models", "s3://models-2/a"],
    ["s3://models", "s3://other/models"],
    ["s3:", "file:///a"],
    ["https://*.example.org", "https://example.org/a"],
    ["https://*.example.org", "https://notexample.org/a"],
    ["https://example.org", "https://example.org.evil.net/a"],
    ["https://example.org", "https://example.org@evil.net/a"],
    ["https://host", "https://host:8443/a"],
    ["file:", "not a url?secret"],
  ])("%s does not let %s pass", (entry, url) => {
    const refused = () => requireAllowed(url, allowedBy(entry));
    expect(refused).toThrow(expect.objectContaining({ code: "forbidden-url" }));
    expect(refused).not.toThrow("secret");
  });

  it.each(["http:", "s3", "s3://", "https://host/path", "ftp://host", "s3:,,"])("cannot be %j", (text) => {
    expect(() => allowedBy(text)).toThrow(/COLLAPSAR_ALLOW/);
  });

  it("holds for every call of a storage", async () => {
    const storage = openStorage({ fileRoots: null, allowed: ["s3://models"] });
    const refused = { code: "forbidden-url" };
    await expect(storage.head("file:///etc/passwd")).rejects.toMatchObject(refused);
    await expect(storage.read("https://host/a")).rejects.toMatchObject(refused);
    await expect(storage.write("s3://other/a", new Uint8Array())).rejects.toMatchObject(refused);
    await expect(Array.fromAsync(storage.list("s3://other"))).rejects.toMatchObject(refused);
    await expect(storage.remove("file:///a")).rejects.toMatchObject(refused);
  });
});
