import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { type Connection, serviceAt } from "../../src/commands/connection.ts";
import { readConfig } from "../../src/config.ts";
import { emptyFolder } from "../api/samples.ts";

/** A service, its API, and the browser that looks at its pages. */
export interface Dashboard {
  readonly browser: Browser;
  readonly url: string;
  readonly api: Connection;
  /** Files below it may be evaluated. */
  readonly folder: string;
  /** Stops the service; the browser stays. */
  close(): Promise<void>;
}

/** Starts a service in a folder of its own, with a worker unless told not to; `env` adds to its settings. */
export async function openDashboard(
  browser: Browser,
  { env = {}, worker = true }: { readonly env?: Record<string, string>; readonly worker?: boolean } = {},
): Promise<Dashboard> {
  const folder = await emptyFolder();
  const settings = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0", ...env };
  const service: RunningService = await serve(readConfig(settings), { worker });
  return {
    ...{ browser, folder, url: service.url, api: serviceAt(service.url) },
    async close() {
      await service.stop();
      await rm(folder, { recursive: true });
    },
  };
}
