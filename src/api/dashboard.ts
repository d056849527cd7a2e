import { fileURLToPath } from "node:url";
import { serveStatic } from "@hono/node-server/serve-static";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { etag } from "hono/etag";

/** What Vite made of src/dashboard; as far from src/api in a clone as from dist/api in the package. */
const PAGES = fileURLToPath(new URL("../../dist/dashboard", import.meta.url));

/** The name of an asset holds a digest of its content, that of the page does not. */
const FOREVER = "public, max-age=31536000, immutable";
const ASK_AGAIN = "no-cache";

/** Says whether `path` is of the dashboard itself, which holds no numbers: whoever may not read these sees a login. */
export function isDashboard(path: string): boolean {
  return path === "/" || /^\/(ui|assets)\//.test(path);
}

/**
 * Adds the dashboard: its one page at `/` and below `/ui/`, where it shows what the address says, and its assets, each as it was
 * compressed when it was built.
 */
export function dashboardRoutes(app: OpenAPIHono): void {
  const page = serveStatic({ root: PAGES, path: "index.html", precompressed: true });
  const assets = serveStatic({ root: PAGES, precompressed: true });
  app.use("/", etag(), cached(ASK_AGAIN), page);
  app.use("/ui/*", etag(), cached(ASK_AGAIN), page);
  app.use("/assets/*", etag(), cached(FOREVER), assets);
}

function cached(value: string): MiddlewareHandler {
  return async (context, next) => {
    await next();
    if (context.res.ok) context.header("Cache-Control", value);
  };
}
