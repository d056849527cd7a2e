import type { Command } from "commander";
import { type OutputOptions, print } from "./output.ts";

/** Defines `migrate`: the database, made or brought up to date. */
export function define(command: Command): void {
  command.action(async (output: OutputOptions) => {
    const [{ openDatabase }, { readConfig }] = await Promise.all([
      import("../database/open.ts"),
      import("../config.ts"),
    ]);
    const database = await openDatabase(readConfig(), "collapsar migrate");
    const { kind } = database;
    await database.close();
    const nothing = () => "";
    print({ kind, upToDate: true }, output, () => `the ${kind} database is up to date`, nothing);
  });
}
