import { createHash, randomBytes } from "node:crypto";
import { asc, eq } from "drizzle-orm";
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

/**
 * Makes a token of 256 random bits and returns it with what is kept of it; nobody can read it again.
 * @throws CollapsarError `conflict` where the name is taken.
 */
export async function createToken(
  { orm }: Queries,
  { name, scope }: { readonly name: string; readonly scope: Scope },
): Promise<Token & { readonly token: string }> {
  const token = PREFIX + randomBytes(BYTES).toString("base64url");
  const [kept] = await orm
    .insert(tokens)
    .values({ name, scope, sha256: tokenDigest(token) })
    .onConflictDoNothing({ target: tokens.name })
    .returning({ createdAt: tokens.createdAt });
  if (!kept) throw new CollapsarError("conflict", `there is a token "${name}" already`);
  return { name, scope, createdAt: kept.createdAt, token };
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
