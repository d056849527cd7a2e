import { Command } from "commander";
import { readConfig } from "../config.ts";
import { jsonOption, print } from "./output.ts";

/** Returns the command `migrate`: the database, made or brought up to date. */
export function migrateCommand(): Command {
  return new Command("migrate")
    .description("Create the database or bring its schema up to date (serve and worker do so at their start).")
    .addOption(jsonOption())
    .action(async ({ json }: { json?: boolean }) => {
      const { openDatabase } = await import("../database/open.ts");
      const database = await openDatabase(readConfig(), "collapsar migrate");
      const { kind } = database;
      await database.close();
      print({ kind, upToDate: true }, json, () => `the ${kind} database is up to date`);
    });
}
