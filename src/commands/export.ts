import type { Command } from "commander";
import type { RunSelection } from "./export/recorded.ts";
import { type OutputOptions, print } from "./output.ts";

type Options = RunSelection & OutputOptions;

/** Defines `export`: what is recorded, for other programs. */
export function define(command: Command): void {
  selecting(command.command("parquet"))
    .description("Write all metrics as a Parquet file: a row per run, epoch, dataset and metric.")
    .requiredOption("--out <file>", "where to write: path")
    .action(parquet);
  selecting(command.command("mlflow"))
    .description("Log all runs and metrics to an MLflow server; what it has already is not sent again.")
    .requiredOption("--to <url>", "address of the server: http://host:port")
    .action(mlflow);
}

function selecting(command: Command): Command {
  return command
    .option("--experiment <name>", "only runs of this experiment")
    .option("--group <name>", "only runs of this group");
}

async function parquet({ out, json, quiet, ...selection }: Options & { readonly out: string }): Promise<void> {
  const [{ withConnection }, { recordedRuns }, { writeParquet }] = await Promise.all([
    import("./connection.ts"),
    import("./export/recorded.ts"),
    import("./export/parquet.ts"),
  ]);
  await withConnection("collapsar export parquet", async (connection) => {
    const values = await writeParquet(out, recordedRuns(connection, selection));
    print(
      { out, values },
      { json, quiet },
      () => `${values} values → ${out}`,
      () => "",
    );
  });
}

async function mlflow({ to, json, quiet, ...selection }: Options & { readonly to: string }): Promise<void> {
  const [{ withConnection }, { recordedRuns }, { mlflowServer }, { exportToMlflow }] = await Promise.all([
    import("./connection.ts"),
    import("./export/recorded.ts"),
    import("./export/mlflowServer.ts"),
    import("./export/mlflow.ts"),
  ]);
  const server = mlflowServer(to);
  await withConnection("collapsar export mlflow", async (connection) => {
    const added = await exportToMlflow(server, connection, recordedRuns(connection, selection));
    print(
      { to, ...added },
      { json, quiet },
      ({ runs, checkpoints, values }) => `${values} values of ${checkpoints} checkpoints, ${runs} new runs → ${to}`,
      () => "",
    );
  });
}
