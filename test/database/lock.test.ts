import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { acquireLock, readHolder } from "../../src/database/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "collapsar-lock-"));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let homes = 0;
const newHome = () => join(folder, `home ${homes++}`, "nested");

/** Starts a process that takes the database of `home`, and waits until it has it. */
async function holder(home: string, ...address: string[]): Promise<{ child: ChildProcess; stderr: () => string }> {
  const script = fileURLToPath(new URL("holder.ts", import.meta.url));
  const child = spawn(process.execPath, [script, home, ...address], { stdio: "pipe" });
  children.push(child);
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk) => errors.push(chunk));
  const stderr = () => Buffer.concat(errors).toString();
  const [said] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  if (String(said).trim() !== "locked") throw new Error(`the holder ended: ${stderr()}`);
  return { child, stderr };
}

describe("the lock of the embedded database", () => {
  it("is refused to a second process, which is told who has it and where it serves", async () => {
    const home = newHome();
    const { child, stderr } = await holder(home, "http://127.0.0.1:8081");
    expect(() => acquireLock(home, "collapsar runs")).toThrow(
      `process ${child.pid} (collapsar serve --port 8081) has the database in ${home} and serves it at http://127.0.0.1:8081`,
    );
    const command = "collapsar serve --port 8081";
    expect(readHolder(home)).toEqual({ pid: child.pid, command, address: "http://127.0.0.1:8081" });
    expect(stderr()).toBe(""); // no warning that SQLite is experimental
  });

  it("is free at once when its process is killed with -9", async () => {
    const home = newHome();
    const { child } = await holder(home);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(join(home, "holder.json"))).toBe(true);
    expect(readHolder(home)).toBeNull();
    const lock = acquireLock(home, "collapsar serve");
    expect(readHolder(home)).toEqual({ pid: process.pid, command: "collapsar serve", address: null });
    lock.release();
  });

  it("is refused to a second user in the same process", () => {
    const home = newHome();
    const lock = acquireLock(home, "collapsar serve");
    expect(() => acquireLock(home, "collapsar runs")).toThrow(
      expect.objectContaining({ code: "database-locked", retryable: false }),
    );
    lock.release();
    lock.release();
    acquireLock(home, "collapsar runs").release();
  });

  it("that is released leaves no holder", () => {
    const home = newHome();
    const lock = acquireLock(home, "collapsar serve");
    lock.announce("http://[::1]:1");
    expect(readHolder(home)?.address).toBe("http://[::1]:1");
    lock.release();
    expect(readHolder(home)).toBeNull();
  });

  it("goes to one of eight processes that start at the same moment", async () => {
    const home = newHome();
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => holder(home)));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("is not refused to a start because others look who has it", async () => {
    const home = newHome();
    const leaveNote = () => writeFileSync(join(home, "holder.json"), "{}"); // as a killed process does
    acquireLock(home, "collapsar serve").release();
    leaveNote();
    const script = `import { readHolder } from ${JSON.stringify(import.meta.resolve("../../src/database/lock.ts"))};
      console.log("looking"); setInterval(() => readHolder(${JSON.stringify(home)}), 2);`;
    const looking = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "pipe" });
    children.push(looking);
    await once(looking.stdout, "data");
    for (let i = 0; i < 100; i++) {
      acquireLock(home, "collapsar serve").release();
      leaveNote();
    }
    expect(looking.exitCode).toBeNull();
  });

  it("of a folder that nobody ever used has no holder, and looking makes no folder", () => {
    const home = newHome();
    expect(readHolder(home)).toBeNull();
    expect(existsSync(home)).toBe(false);
  });
});
