import type { Command } from "commander";
import { type OutputOptions, print } from "./output.ts";

interface Options extends OutputOptions {
  readonly url?: string;
}

/** Defines `open`: the dashboard in the browser. */
export function define(command: Command): void {
  command
    .argument("[path]", "page of the dashboard", "/")
    .option("--url <url>", "service to open (default: the one that has the database, or http://HOST:PORT)")
    .action(async (path: string, { url: service, ...output }: Options) => {
      const [{ readConfig }, { readHolder }, { openBrowser }] = await Promise.all([
        import("../config.ts"),
        import("../database/lock.ts"),
        import("./browser.ts"),
      ]);
      const config = readConfig();
      const held = config.databaseUrl ? null : readHolder(config.home)?.address;
      const base = service ?? held ?? `http://${hostToAsk(config.host)}:${config.port}`;
      await requireService(base);
      const url = new URL(path, base).href;
      const opened = await openBrowser(url);
      print(
        { url, opened },
        output,
        () => (opened ? `opened ${url}` : url),
        () => url,
      );
    });
}

/** A service that is bound to every address is reached at the loopback one. */
const hostToAsk = (host: string) => (host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host);

async function requireService(base: string): Promise<void> {
  const { CollapsarError } = await import("../errors.ts");
  try {
    const { ok, status } = await fetch(new URL("/healthz", base), { signal: AbortSignal.timeout(5_000) });
    if (!ok) throw new Error(`/healthz answered ${status}`);
  } catch (cause) {
    throw new CollapsarError("not-found", `no service answers at ${base}: start one with collapsar serve`, { cause });
  }
}
