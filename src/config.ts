import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { CollapsarError } from "./errors.ts";

/** What the environment says, checked once. Paths are absolute. */
export interface Config {
  /** Folder of the embedded database, the local store and caches. */
  readonly home: string;
  /** Where downloaded objects and features are kept, and how much of them. */
  readonly cache: { readonly folder: string; readonly bytes: number };
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
  /** What webhooks may lead to, as `allowed`, also `http://host`; null for any https host of the public internet. */
  readonly webhookAllowed: readonly string[] | null;
  /** What webhooks are signed with, `whsec_…`; none: no webhook can be asked for. */
  readonly webhookSecrets: readonly string[];
  /** URLs of folders that the service looks through for new checkpoints. */
  readonly sweep: readonly string[];
  readonly sweepSeconds: number;
  /** What is asked of checkpoints that are found: fields of `POST /evaluate`. */
  readonly foundRequest: Readonly<Record<string, unknown>>;
  /** Requests a minute of one token, or of one address without; 0 for any number. */
  readonly rateLimit: number;
  readonly host: string;
  readonly port: number;
  /** Bearer token that the command line shows to a service, or null. */
  readonly token: string | null;
  /** Whether traces are sent, to the OTEL_EXPORTER_OTLP_ENDPOINT that OpenTelemetry reads itself. */
  readonly traced: boolean;
}

/** Debian's dataset packages install here. */
const SYSTEM_DATA = "/usr/share/datasets";

/**
 * An entry of `COLLAPSAR_ALLOW`: a scheme, or a scheme with a bucket or a host (with its port, if not the usual one), of
 * which a leading `*.` stands for any names before it.
 */
const ALLOWED = /^(file|s3|https):(\/\/[^/\s,?#@]+)?$/;

/** An entry of `COLLAPSAR_WEBHOOK_ALLOW`. Without encryption only to a host that is named. */
const WEBHOOK_ALLOWED = /^(https:(\/\/[^/\s,?#@]+)?|http:\/\/[^/\s,?#@*]+)$/;

/** As Standard Webhooks has it: 24 to 64 bytes. */
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;

const wholeNumber = (least: number, most: number) => {
  const expected = `expected a whole number from ${least} to ${most}`;
  return z.coerce.number(expected).int(expected).min(least, expected).max(most, expected);
};

const listOf = (entry: RegExp, expected: string) =>
  z
    .string()
    .transform((text) => text.split(",").map((entry) => entry.trim()))
    .pipe(z.array(z.string().regex(entry, `${expected}, comma-separated`)))
    .optional();

const environment = z.object({
  COLLAPSAR_HOME: z.string().min(1).default(".collapsar"),
  COLLAPSAR_CACHE_BYTES: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(10 * 2 ** 30),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "expected postgres://…")
    .optional(),
  COLLAPSAR_STORE: z.string().min(1).optional(),
  COLLAPSAR_DATA: z.string().min(1).optional(),
  COLLAPSAR_FILE_ROOT: z.string().min(1).default("."),
  COLLAPSAR_ALLOW: listOf(ALLOWED, "expected file:, s3:, https:, s3://bucket or https://host"),
  COLLAPSAR_WEBHOOK_ALLOW: listOf(WEBHOOK_ALLOWED, "expected https:, https://host or http://host:port"),
  COLLAPSAR_WEBHOOK_SECRET: listOf(WEBHOOK_SECRET, "expected whsec_ and the base64 of 24 to 64 bytes"),
  COLLAPSAR_SWEEP: z
    .string()
    .transform((text) => text.split(",").map((entry) => entry.trim()))
    .pipe(z.array(z.string().min(1, "expected URLs or folders, comma-separated")))
    .optional(),
  COLLAPSAR_SWEEP_SECONDS: wholeNumber(1, 86_400).default(60),
  COLLAPSAR_FOUND: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: 'expected JSON such as {"ood": ["svhn"]}' });
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), z.unknown()))
    .optional(),
  COLLAPSAR_RATE_LIMIT: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(60_000),
  COLLAPSAR_TOKEN: z
    .string()
    .regex(/^[\w.~+/=-]+$/, "expected a token as collapsar token create prints it")
    .optional(),
  HOST: z.string().min(1).default("127.0.0.1"),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: "expected http://… or https://…" }).optional(),
  PORT: wholeNumber(0, 65535).default(8080),
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
    cache: { folder: join(home, "cache"), bytes: values.COLLAPSAR_CACHE_BYTES },
    databaseUrl: values.DATABASE_URL ?? null,
    store: toStoreUrl(values.COLLAPSAR_STORE ?? join(home, "store"), cwd),
    data: [values.COLLAPSAR_DATA ? absolute(values.COLLAPSAR_DATA, cwd) : join(home, "data"), SYSTEM_DATA],
    fileRoots: [absolute(values.COLLAPSAR_FILE_ROOT, cwd), home],
    allowed: values.COLLAPSAR_ALLOW ?? null,
    webhookAllowed: values.COLLAPSAR_WEBHOOK_ALLOW ?? null,
    webhookSecrets: values.COLLAPSAR_WEBHOOK_SECRET ?? [],
    sweep: (values.COLLAPSAR_SWEEP ?? []).map((folder) => toStoreUrl(folder, cwd)),
    sweepSeconds: values.COLLAPSAR_SWEEP_SECONDS,
    foundRequest: values.COLLAPSAR_FOUND ?? {},
    rateLimit: values.COLLAPSAR_RATE_LIMIT,
    host: values.HOST,
    port: values.PORT,
    token: values.COLLAPSAR_TOKEN ?? null,
    traced: values.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
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
