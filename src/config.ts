import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { CollapsarError } from "./errors.ts";

/** What the environment says, checked once. Paths are absolute. */
export interface Config {
  /** Folder of the embedded database, the local store and caches. */
  readonly home: string;
  /** PostgreSQL to use instead of the embedded PGlite, or null. */
  readonly databaseUrl: string | null;
  /** Where training pushes checkpoints: an `s3://` or `file://` URL without a trailing slash. */
  readonly store: string;
  /** Folders searched for dataset files, in order. */
  readonly data: readonly string[];
  /** The service reads `file://` URLs only below these folders. */
  readonly fileRoots: readonly string[];
  /** Schemes, or schemes with a bucket or host, that URLs the service reads may have; null for any. */
  readonly allowed: readonly string[] | null;
  readonly host: string;
  readonly port: number;
  /** Bearer token that the command line shows to a service, or null. */
  readonly token: string | null;
}

/** One line per variable, for `--help`. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  COLLAPSAR_HOME: "embedded database, local store, caches (default .collapsar)",
  DATABASE_URL: "PostgreSQL to use instead of the embedded database",
  COLLAPSAR_STORE: "where training pushes checkpoints: s3://bucket/prefix or a folder (default $COLLAPSAR_HOME/store)",
  COLLAPSAR_DATA: "folder of dataset files (default $COLLAPSAR_HOME/data)",
  COLLAPSAR_FILE_ROOT: "the service reads file:// only below this folder and its home (default: working folder)",
  COLLAPSAR_ALLOW:
    "what the service may read, comma-separated: file:, s3://bucket, https://*.host, … (default anything)",
  COLLAPSAR_TOKEN: "bearer token that commands show to a running service (collapsar token create)",
  HOST: "address the service binds to (default 127.0.0.1); any but loopback needs a token",
  PORT: "port the service listens on (default 8080)",
  AWS_ENDPOINT_URL_S3: "endpoint of an S3-compatible store; AWS_REGION, AWS_ACCESS_KEY_ID, … as for the AWS SDK",
};

/** Debian's dataset packages install here. */
const SYSTEM_DATA = "/usr/share/datasets";

/**
 * An entry of `COLLAPSAR_ALLOW`: a scheme, or a scheme with a bucket or a host (with its port, if not the usual one), of
 * which a leading `*.` stands for any names before it.
 */
const ALLOWED = /^(file|s3|https):(\/\/[^/\s,?#@]+)?$/;

const environment = z.object({
  COLLAPSAR_HOME: z.string().min(1).default(".collapsar"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "expected postgres://…")
    .optional(),
  COLLAPSAR_STORE: z.string().min(1).optional(),
  COLLAPSAR_DATA: z.string().min(1).optional(),
  COLLAPSAR_FILE_ROOT: z.string().min(1).default("."),
  COLLAPSAR_ALLOW: z
    .string()
    .transform((text) => text.split(",").map((entry) => entry.trim()))
    .pipe(
      z.array(z.string().regex(ALLOWED, "expected file:, s3:, https:, s3://bucket or https://host, comma-separated")),
    )
    .optional(),
  COLLAPSAR_TOKEN: z
    .string()
    .regex(/^[\w.~+/=-]+$/, "expected a token as collapsar token create prints it")
    .optional(),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
});

/**
 * Returns the validated configuration of `env` (paths relative to `cwd`).
 * @throws CollapsarError `invalid-request` that names the variable and what was expected of it.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CollapsarError("invalid-request", `environment variable ${issue.path.join(".")}: ${issue.message}`);
  }
  const values = parsed.data;
  const home = absolute(values.COLLAPSAR_HOME, cwd);
  return Object.freeze({
    home,
    databaseUrl: values.DATABASE_URL ?? null,
    store: toStoreUrl(values.COLLAPSAR_STORE ?? join(home, "store"), cwd),
    data: [values.COLLAPSAR_DATA ? absolute(values.COLLAPSAR_DATA, cwd) : join(home, "data"), SYSTEM_DATA],
    fileRoots: [absolute(values.COLLAPSAR_FILE_ROOT, cwd), home],
    allowed: values.COLLAPSAR_ALLOW ?? null,
    host: values.HOST,
    port: values.PORT,
    token: values.COLLAPSAR_TOKEN ?? null,
  });
}

/** Returns `target`, a URL or a path (relative to `cwd`), as a URL; a path becomes `file://`. */
export function toUrl(target: string, cwd: string = process.cwd()): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target) ? target : pathToFileURL(absolute(target, cwd)).href;
}

/** Returns `target` as the URL of a folder: without a trailing slash. */
export function toStoreUrl(target: string, cwd: string = process.cwd()): string {
  return toUrl(target, cwd).replace(/\/+$/, "");
}

function absolute(path: string, cwd: string): string {
  return resolve(cwd, path.replace(/^~(?=$|\/)/, homedir()));
}
