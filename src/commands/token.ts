import { readFile, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { NewToken, TokenList } from "../api/tokens.ts";
import { SCOPES } from "../database/scopes.ts";
import { CollapsarError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { type OutputOptions, print } from "./output.ts";
import { formatTable } from "./table.ts";

interface CreateOptions extends OutputOptions {
  readonly scope: string;
  readonly out?: string;
  readonly from?: string;
  readonly ifAbsent?: boolean;
}

/** Defines `token`: who may use the service. */
export function define(command: Command): void {
  command
    .command("create")
    .description("Make a token and print it, this once.")
    .argument("<name>", "what it is called in lists")
    .addOption(new Option("--scope <scope>", "what it allows").choices(SCOPES).default("read"))
    .option("--out <file>", "write it there, for its owner alone to read, and do not print it")
    .addOption(
      new Option("--from <file>", "take the token in this file (of a secret, say), and do not print it").conflicts(
        "out",
      ),
    )
    .option("--if-absent", "do nothing where a token of this name exists")
    .action((name: string, options: CreateOptions) => tokens((connection) => create(connection, name, options)));
  command
    .command("list")
    .description("List names and scopes.")
    .action((output: OutputOptions) =>
      tokens(async ({ request }) => print(await request<TokenList>("/tokens"), output, formatTokens, namesOf)),
    );
  command
    .command("revoke")
    .description("End a token.")
    .argument("<name>")
    .action((name: string, output: OutputOptions) =>
      tokens(async ({ request }) => {
        await request(`/tokens/${encodeURIComponent(name)}`, { method: "DELETE" });
        print({ name, revoked: true }, output, () => `token ${name} is revoked`, nothing);
      }),
    );
}

async function tokens(work: (connection: Connection) => Promise<void>): Promise<void> {
  const { withConnection } = await import("./connection.ts");
  await withConnection("collapsar token", work);
}

async function create(
  { request }: Connection,
  name: string,
  { scope, out, from, ifAbsent, ...output }: CreateOptions,
): Promise<void> {
  const given = from === undefined ? undefined : await readToken(from);
  const body = JSON.stringify({ name, scope, token: given });
  const headers = { "content-type": "application/json" };
  try {
    const { token, ...kept } = await request<NewToken>("/tokens", { method: "POST", headers, body });
    if (given !== undefined) return print({ ...kept, from }, output, () => `token ${name} is that of ${from}`, nothing);
    if (out === undefined) return print({ ...kept, token }, output, () => token);
    await writeFile(out, token, { mode: 0o600 }).catch(async (cause) => {
      await request(`/tokens/${encodeURIComponent(name)}`, { method: "DELETE" }); // nobody would ever know it
      throw new CollapsarError("invalid-request", `--out ${out} cannot be written: ${cause.message}`, { cause });
    });
    print({ ...kept, out }, output, () => `token ${name} is in ${out}`, nothing);
  } catch (error) {
    if (!ifAbsent || !(error instanceof CollapsarError && error.code === "conflict")) throw error;
    print({ name, exists: true }, output, () => `token ${name} exists already`, nothing);
  }
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new CollapsarError("invalid-request", `--from ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const nothing = () => "";
const namesOf = ({ items }: TokenList) => items.map(({ name }) => name).join("\n");

function formatTokens({ items }: TokenList): string {
  if (items.length === 0) return "there are no tokens: collapsar token create NAME --scope admin";
  const columns = ["name", "scope", "made"].map((heading) => ({ heading, align: "left" as const }));
  return formatTable(
    columns,
    items.map(({ name, scope, createdAt }) => [name, scope, createdAt]),
  );
}
