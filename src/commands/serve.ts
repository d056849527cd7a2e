import type { Command } from "commander";
import { wholeNumber } from "./options.ts";
import { type OutputOptions, print } from "./output.ts";
import { untilToldToStop } from "./signals.ts";

interface Options extends OutputOptions {
  readonly port?: number;
  readonly worker: boolean;
}

/** Defines `serve`: the HTTP service, with a worker in the same process. */
export function define(command: Command): void {
  command
    .option("--port <port>", "port to listen on (default: $PORT or 8080)", wholeNumber(0, 65535))
    .option("--no-worker", "only take submissions; workers elsewhere evaluate them (needs DATABASE_URL)")
    .action(async ({ port, worker, ...output }: Options) => {
      const [{ serve }, { readConfig }, { log }, { startTracing, stopTracing }] = await Promise.all([
        import("../api/serve.ts"),
        import("../config.ts"),
        import("../logging.ts"),
        import("../telemetry/tracing.ts"),
      ]);
      if (output.quiet) log.level = "error";
      const config = readConfig();
      await startTracing(config);
      const service = await serve({ ...config, port: port ?? config.port }, { worker });
      const told = untilToldToStop(); // before others hear that it serves
      log.info({ url: service.url }, "serving");
      if (output.json) print({ url: service.url, open: service.open }, output, String);
      if (service.open)
        log.warn("no token exists: only this machine is served, without one (collapsar token create makes one)");
      const signal = await told;
      log.info({ signal }, "stopping");
      await service.stop();
      await stopTracing();
    });
}
