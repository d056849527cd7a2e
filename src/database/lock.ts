import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CollapsarError } from "../errors.ts";

/** Who has the embedded database. */
export interface Holder {
  readonly pid: number;
  /** What it runs, as a person would type it. */
  readonly command: string;
  /** Base URL of its HTTP service, or null where it has none. */
  readonly address: string | null;
}

/** The right to use the embedded database, until `release` or the end of the process, however that comes. */
export interface DatabaseLock {
  /** Tells others under which base URL this process serves the database. */
  announce(address: string): void;
  release(): void;
}

const SQLITE_BUSY = 5;
/** Outlasts another process's look at the lock (under a millisecond), which must not fail a start. */
const START_PATIENCE_MS = 250;
/** Of one who only looks; outlasts another who looks. */
const LOOK_PATIENCE_MS = 20;

/** A connection that is garbage-collected loses its lock. */
const held = new Set<DatabaseSync>();

/**
 * Takes the embedded database of `home` for this process, which runs `command`.
 * @throws CollapsarError `database-locked` that names the holder, `database-unavailable` where `home` cannot be written.
 */
export function acquireLock(home: string, command: string): DatabaseLock {
  const lock = tryLock(home, START_PATIENCE_MS);
  if (!lock) throw lockedBy(home, readNote(home));
  held.add(lock);
  const announce = (address: string | null) => writeNote(home, { pid: process.pid, command, address });
  announce(null);
  return {
    announce,
    release() {
      if (!held.delete(lock)) return;
      rmSync(notePath(home), { force: true });
      lock.close();
    },
  };
}

/** Returns who has the embedded database of `home` now, or null where nobody has. */
export function readHolder(home: string): Holder | null {
  const note = readNote(home); // without one, nobody ever came here, and looking must not make a folder
  const lock = note && tryLock(home, LOOK_PATIENCE_MS);
  lock?.close();
  return lock ? null : note;
}

/**
 * Returns a connection that holds the lock, or null where another has it for all of `patienceMs`. The lock is SQLite's on an empty file: a
 * POSIX record lock, which the kernel drops with the process (kill -9 too), and the only one Node reaches without a
 * native module.
 */
function tryLock(home: string, patienceMs: number): DatabaseSync | null {
  let connection: DatabaseSync | undefined;
  try {
    mkdirSync(home, { recursive: true });
    connection = new (sqlite().DatabaseSync)(join(home, "database.lock"));
    connection.exec(`PRAGMA busy_timeout = ${patienceMs}; BEGIN EXCLUSIVE`);
    return connection;
  } catch (error) {
    connection?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    const reason = (error as Error).message;
    throw new CollapsarError("database-unavailable", `cannot lock the database in ${home}: ${reason}`, {
      cause: error,
      retryable: false,
    });
  }
}

/** Returns `node:sqlite` without the warning that it is experimental, which Node prints when it is first loaded. */
function sqlite(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("SQLite is an experimental feature"))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

function lockedBy(home: string, holder: Holder | null): CollapsarError {
  const who = holder ? `process ${holder.pid} (${holder.command})` : "another process";
  const where = holder?.address ? ` and serves it at ${holder.address}` : "";
  return new CollapsarError(
    "database-locked",
    `${who} has the database in ${home}${where}: it belongs to one process, PostgreSQL (DATABASE_URL) to many`,
  );
}

const notePath = (home: string) => join(home, "holder.json");

function writeNote(home: string, holder: Holder): void {
  const draft = `${notePath(home)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(holder));
  renameSync(draft, notePath(home));
}

function readNote(home: string): Holder | null {
  try {
    return JSON.parse(readFileSync(notePath(home), "utf8"));
  } catch {
    return null;
  }
}
