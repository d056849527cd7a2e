import { execFileSync } from "node:child_process";
import { truncateSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { download } from "../../src/storage/download.ts";
import { fileStorage } from "../../src/storage/file.ts";
import { openStorage } from "../../src/storage/open.ts";
import { storageContract } from "../contract/storage.ts";

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "collapsar-file-")));
});
afterAll(() => rm(root, { recursive: true }));

const newFolder = () => mkdtemp(join(root, "folder-"));
const urlOf = (path: string) => pathToFileURL(path).href;
const anywhere = openStorage({ fileRoots: null });
const one = new Uint8Array([1]);

storageContract(
  "file anywhere",
  () => anywhere,
  async () => urlOf(await newFolder()),
);
storageContract(
  "file below a root",
  () => openStorage({ fileRoots: ["/nonexistent", root] }),
  async () => urlOf(await newFolder()),
);

describe("file", () => {
  it.each(["file://", "file:///", "file://host/a", "file:a", "file://relative.bin", "file://user:secret@host/a"])(
    "refuses %s",
    async (url) => {
      const error = await anywhere.head(url).catch((error) => error);
      expect(error).toMatchObject({ code: "unsupported-url" });
      expect(error.message).not.toContain("secret");
    },
  );

  it("leaves no temporary file, whether a write succeeds or fails", async () => {
    const folder = await newFolder();
    await mkdir(join(folder, "taken"));
    await anywhere.write(urlOf(join(folder, "a")), one);
    await expect(anywhere.write(urlOf(join(folder, "taken")), one)).rejects.toMatchObject({
      code: "object-not-found",
      message: expect.stringContaining("is a folder"),
    });
    expect((await readdir(folder)).sort()).toEqual(["a", "taken"]);
  });

  it("does not list writes in progress", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, ".collapsar-00000000-0000-4000-8000-000000000000.tmp"), one);
    await writeFile(join(folder, ".hidden"), one);
    const listed = await Array.fromAsync(anywhere.list(urlOf(folder)));
    expect(listed.map(({ url }) => url)).toEqual([urlOf(join(folder, ".hidden"))]);
  });

  it("refuses to make a folder where a file is", async () => {
    const folder = await newFolder();
    const url = urlOf(join(folder, "a"));
    await anywhere.write(url, one);
    for (const below of [`${url}/b`, `${url}/b/c`]) {
      await expect(anywhere.write(below, one)).rejects.toMatchObject({ code: "object-not-found" });
      await expect(anywhere.head(below)).rejects.toMatchObject({ code: "object-not-found" });
      await anywhere.remove(below);
    }
    expect(await Array.fromAsync(anywhere.list(url))).toEqual([]);
  });

  it("does not wait for the writer of a pipe, nor read devices", async () => {
    const pipe = join(await newFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, "/dev/zero"]) {
      await expect(anywhere.read(urlOf(path))).rejects.toMatchObject({ code: "object-not-found" });
      await expect(anywhere.head(urlOf(path))).rejects.toMatchObject({ code: "object-not-found" });
    }
  });

  it("notices that a file changes its length while it is read", async () => {
    const size = 5 * 2 ** 20;
    const changes = { grown: size + 1, shrunk: 2 ** 20 };
    for (const length of Object.values(changes)) {
      const path = join(await newFolder(), "changing");
      await writeFile(path, new Uint8Array(size));
      const onProgress = () => truncateSync(path, length);
      await expect(download(anywhere, urlOf(path), { onProgress })).rejects.toMatchObject({
        code: "storage-unavailable",
        retryable: true,
      });
    }
  });

  it("holds the limit even where a file grows beyond it while it is read", async () => {
    const path = join(await newFolder(), "growing");
    const size = 5 * 2 ** 20;
    await writeFile(path, new Uint8Array(size));
    const onProgress = () => truncateSync(path, 2 * size);
    await expect(download(anywhere, urlOf(path), { maxBytes: size, onProgress })).rejects.toMatchObject({
      code: "object-too-large",
    });
  });

  it("names a path that is too long, and links that form a loop", async () => {
    const folder = await newFolder();
    await symlink("loop", join(folder, "loop"));
    await expect(anywhere.head(urlOf(join(folder, "a".repeat(300))))).rejects.toMatchObject({
      code: "unsupported-url",
    });
    await expect(anywhere.head(urlOf(join(folder, "loop")))).rejects.toMatchObject({ code: "forbidden-url" });
  });
});

describe("file below a root", () => {
  const forbidden = { code: "forbidden-url", retryable: false };

  async function rootAndOutside() {
    const folder = await newFolder();
    const inside = join(folder, "inside");
    const outside = join(folder, "inside-not");
    for (const path of [inside, outside]) await mkdir(path);
    await writeFile(join(outside, "secret"), "secret");
    await writeFile(join(inside, "mine"), "mine");
    return { inside, outside, storage: fileStorage({ roots: [inside] }) };
  }

  it("refuses what is outside, whether it exists or not", async () => {
    const { inside, outside, storage } = await rootAndOutside();
    const urls = [
      urlOf(join(outside, "secret")),
      urlOf(join(outside, "none", "none")),
      `${urlOf(inside)}/../inside-not/secret`,
      `${urlOf(inside)}/%2e%2e/inside-not/secret`,
    ];
    for (const url of urls) {
      await expect(storage.head(url), url).rejects.toMatchObject(forbidden);
      await expect(storage.read(url), url).rejects.toMatchObject(forbidden);
      await expect(storage.write(url, one), url).rejects.toMatchObject(forbidden);
      await expect(storage.remove(url), url).rejects.toMatchObject(forbidden);
      await expect(Array.fromAsync(storage.list(url)), url).rejects.toMatchObject(forbidden);
    }
    expect(await readdir(outside)).toEqual(["secret"]);
  });

  it("does not follow links to the outside", async () => {
    const { inside, outside, storage } = await rootAndOutside();
    await symlink(outside, join(inside, "folder"));
    await symlink(join(outside, "secret"), join(inside, "file"));
    for (const path of ["folder/secret", "folder/new", "folder/new/new"]) {
      const url = urlOf(join(inside, path));
      await expect(storage.head(url), path).rejects.toMatchObject(forbidden);
      await expect(storage.read(url), path).rejects.toMatchObject(forbidden);
      await expect(storage.write(url, one), path).rejects.toMatchObject(forbidden);
      await expect(storage.remove(url), path).rejects.toMatchObject(forbidden);
    }
    for (const look of [storage.head, storage.read])
      await expect(look(urlOf(join(inside, "file")))).rejects.toMatchObject(forbidden);
    await expect(Array.fromAsync(storage.list(urlOf(join(inside, "folder"))))).rejects.toMatchObject(forbidden);
    const listed = await Array.fromAsync(storage.list(urlOf(inside)));
    expect(listed.map(({ url }) => url)).toEqual([urlOf(join(inside, "mine"))]);
  });

  it("replaces and removes a link to the outside, not its target", async () => {
    const { inside, outside, storage } = await rootAndOutside();
    const link = join(inside, "link");
    await symlink(join(outside, "secret"), link);
    await storage.write(urlOf(link), one);
    await symlink(join(outside, "secret"), join(inside, "link-2"));
    await storage.remove(urlOf(join(inside, "link-2")));
    expect((await readdir(inside)).sort()).toEqual(["link", "mine"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("secret");
  });

  it("follows links that stay below the root, and a root that is a link", async () => {
    const { inside, outside, storage } = await rootAndOutside();
    await symlink("mine", join(inside, "alias"));
    expect((await storage.head(urlOf(join(inside, "alias")))).size).toBe(4);
    await symlink(outside, `${outside}-link`);
    const linked = fileStorage({ roots: [`${outside}-link`] });
    const url = urlOf(join(`${outside}-link`, "secret"));
    expect((await linked.head(url)).url).toBe(url);
    expect((await Array.fromAsync(linked.list(urlOf(`${outside}-link`)))).map(({ url }) => url)).toEqual([url]);
  });

  it("finds a root that is made later, and one that is a link to another folder since", async () => {
    const { inside, outside } = await rootAndOutside();
    const link = `${inside}-link`;
    const url = urlOf(join(link, "mine"));
    const storage = fileStorage({ roots: [link] });
    await expect(storage.head(urlOf(join(inside, "mine")))).rejects.toMatchObject(forbidden);
    await symlink(inside, link);
    expect((await storage.head(url)).size).toBe(4);
    await rm(link);
    await symlink(outside, link);
    await writeFile(join(outside, "mine"), "mine too");
    expect((await storage.head(url)).size).toBe(8);
  });

  it("allows nothing where there are no roots", async () => {
    await expect(fileStorage({ roots: [] }).head(urlOf(root))).rejects.toMatchObject(forbidden);
  });
});
