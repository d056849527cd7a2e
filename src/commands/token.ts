import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { NewToken, TokenList } from "../api/tokens.ts";
import { readConfig } from "../config.ts";
import { SCOPES } from "../database/tokens.ts";
import { CollapsarError } from "../errors.ts";
import { type Connection, withConnection } from "./connection.ts";
import { jsonOption, print } from "./output.ts";
import { formatTable } from "./table.ts";

interface CreateOptions {
  readonly scope: string;
  readonly out?: string;
  readonly ifAbsent?: boolean;
  readonly json?: boolean;
}

/** Returns the command `token`: who may use the service. */
export function tokenCommand(): Command {
  const command = new Command("token").description("Make, list and revoke the bearer tokens of the service.");
  command
    .command("create")
    .description("Make a token and print it, this once.")
    .argument("<name>", "what it is called in lists")
    .addOption(new Option("--scope <scope>", "what it allows").choices(SCOPES).default("read"))
    .option("--out <file>", "write it there, for its owner alone to read, and do not print it")
    .option("--if-absent", "do nothing where a token of this name exists")
    .addOption(jsonOption())
    .action((name: string, options: CreateOptions) => tokens((connection) => create(connection, name, options)));
  command
    .command("list")
    .description("List names and scopes.")
    .addOption(jsonOption())
    .action(({ json }: { json?: boolean }) =>
      tokens(async ({ request }) => print(await request<TokenList>("/tokens"), json, formatTokens)),
    );
  command
    .command("revoke")
    .description("End a token.")
    .argument("<name>")
    .addOption(jsonOption())
    .action((name: string, { json }: { json?: boolean }) =>
      tokens(async ({ request }) => {
        await request(`/tokens/${encodeURIComponent(name)}`, { method: "DELETE" });
        print({ name, revoked: true }, json, () => `token ${name} is revoked`);
      }),
    );
  return command;
}

const tokens = (work: (connection: Connection) => Promise<void>) =>
  withConnection(readConfig(), "collapsar token", work);

async function create(
  { request }: Connection,
  name: string,
  { scope, out, ifAbsent, json }: CreateOptions,
): Promise<void> {
  const body = JSON.stringify({ name, scope });
  const headers = { "content-type": "application/json" };
  try {
    const { token, ...kept } = await request<NewToken>("/tokens", { method: "POST", headers, body });
    if (out === undefined) return print({ ...kept, token }, json, () => token);
    await writeFile(out, token, { mode: 0o600 });
    print({ ...kept, out }, json, () => `token ${name} is in ${out}`);
  } catch (error) {
    if (!ifAbsent || !(error instanceof CollapsarError && error.code === "conflict")) throw error;
    print({ name, exists: true }, json, () => `token ${name} exists already`);
  }
}

function formatTokens({ items }: TokenList): string {
  if (items.length === 0) return "there are no tokens: collapsar token create NAME --scope admin";
  const columns = ["name", "scope", "made"].map((heading) => ({ heading, align: "left" as const }));
  return formatTable(
    columns,
    items.map(({ name, scope, createdAt }) => [name, scope, createdAt]),
  );
}
