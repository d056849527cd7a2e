import { createHash, randomBytes } from "node:crypto";
import { and, asc, eq } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";
import { tokens } from "./schema.ts";
import type { Scope } from "./scopes.ts";

/** A token as it is kept: without itself. */
export interface Token {
  readonly name: string;
  readonly scope: Scope;
  readonly createdAt: Date;
}

/** So that whoever searches for leaked secrets can tell one. */
const PREFIX = "clp_";
const BYTES = 32;

/** What a token looks like: a shorter one could be guessed from its digest. */
export const TOKEN = /^clp_[\w-]{43,86}$/;

interface NewToken {
  readonly name: string;
  readonly scope: Scope;
  /** One that was made elsewhere, as `TOKEN` has it; default: 256 random bits. */
  readonly token?: string | undefined;
}

/**
 * Makes a token and returns it with what is kept of it; nobody can read it again. The same token under the same name and
 * scope is the one that is there.
 * @throws CollapsarError `conflict` where the name or the token is taken.
 */
export async function createToken(
  { orm }: Queries,
  { name, scope, token = PREFIX + randomBytes(BYTES).toString("base64url") }: NewToken,
): Promise<Token & { readonly token: string }> {
  const sha256 = tokenDigest(token);
  const { createdAt } = tokens;
  const [made] = await orm
    .insert(tokens)
    .values({ name, scope, sha256 })
    .onConflictDoNothing()
    .returning({ createdAt });
  const same = and(eq(tokens.name, name), eq(tokens.scope, scope), eq(tokens.sha256, sha256));
  const kept = made ?? (await orm.select({ createdAt }).from(tokens).where(same))[0];
  if (kept) return { name, scope, createdAt: kept.createdAt, token };
  throw new CollapsarError("conflict", `there is a token "${name}" already, or the same under another name or scope`);
}

/** Returns all tokens, in order of name. */
export function listTokens({ orm }: Queries): Promise<Token[]> {
  const { name, scope, createdAt } = tokens;
  return orm.select({ name, scope, createdAt }).from(tokens).orderBy(asc(name));
}

/** Returns what every token allows, by its digest. */
export async function scopesByDigest({ orm }: Queries): Promise<ReadonlyMap<string, Scope>> {
  const rows = await orm.select({ sha256: tokens.sha256, scope: tokens.scope }).from(tokens);
  return new Map(rows.map(({ sha256, scope }) => [sha256, scope]));
}

/** Ends the token `name`. @throws CollapsarError `not-found`. */
export async function revokeToken({ orm }: Queries, name: string): Promise<void> {
  const [revoked] = await orm.delete(tokens).where(eq(tokens.name, name)).returning({ name: tokens.name });
  if (!revoked) throw new CollapsarError("not-found", `there is no token "${name}"`);
}

/** Returns the sha256 (hex) under which a token is kept. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
