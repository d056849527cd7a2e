import { Command } from "commander";
import { readConfig } from "../config.ts";
import { log } from "../logging.ts";
import { wholeNumber } from "./options.ts";
import { untilToldToStop } from "./signals.ts";

interface Options {
  readonly port?: number;
  readonly worker: boolean;
}

/** Returns the command `serve`: the HTTP service, with a worker in the same process. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Serve the HTTP API and evaluate what is submitted to it.")
    .option("--port <port>", "port to listen on (default: $PORT or 8080)", wholeNumber(0, 65535))
    .option("--no-worker", "only take submissions; workers elsewhere evaluate them (needs DATABASE_URL)")
    .action(async ({ port, worker }: Options) => {
      const { serve } = await import("../api/serve.ts");
      const config = readConfig();
      const service = await serve({ ...config, port: port ?? config.port }, { worker });
      log.info({ url: service.url }, "serving");
      if (service.open)
        log.warn("no token exists: only this machine is served, without one (collapsar token create makes one)");
      const signal = await untilToldToStop();
      log.info({ signal }, "stopping");
      await service.stop();
    });
}
