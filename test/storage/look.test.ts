import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lookAt } from "../../src/storage/look.ts";

const TELLS = process.platform === "linux";

describe("a look at a place", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "collapsar-test-")));
    await writeFile(join(folder, "file"), "four");
    await mkdir(join(folder, "below"));
    await symlink("file", join(folder, "link"));
    await symlink("below", join(folder, "linked"));
    await writeFile(join(folder, "below", "file"), "");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("tells of files and folders what the file system does", async () => {
    for (const name of ["file", "below", "below/file"]) {
      const path = join(folder, name);
      const found = await lookAt(path);
      expect(found).toEqual(TELLS ? await stat(path, { bigint: true }) : null);
    }
  });

  it("tells nothing of links, of what is not there, and of what the kernel says is elsewhere", async () => {
    const elsewhere = [`/proc/self/cwd/package.json`, `/proc/self/root${folder}/file`, `${folder}/below/../file`];
    for (const name of ["link", "linked/file", "missing", "file/below"]) elsewhere.push(join(folder, name));
    for (const path of elsewhere) expect(await lookAt(path), path).toBeNull();
  });

  it("keeps nothing open", async () => {
    const open = async () => (TELLS ? await readdir("/proc/self/fd") : []).length;
    const before = await open();
    for (let i = 0; i < 50; i++) for (const name of ["file", "link", "missing"]) await lookAt(join(folder, name));
    expect(await open()).toBeLessThan(before + 25);
  });
});
