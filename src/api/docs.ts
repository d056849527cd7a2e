import type { OpenAPIHono } from "@hono/zod-openapi";
import { docsPage, type OpenApiDocument, STYLE } from "./docsPage.ts";
import { openApiDocument } from "./openapi.ts";

/** Adds `GET /openapi.json` and what shows it to people, `GET /docs`: a page without scripts. All routes are there before. */
export function docsRoutes(app: OpenAPIHono): void {
  const once = <T>(make: () => T) => {
    let made: T | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  const document = once(() => openApiDocument(app));
  const page = once(() => docsPage(document() as unknown as OpenApiDocument));
  app.get("/openapi.json", (context) => context.json(document()));
  app.get("/docs", (context) => context.html(page()));
  app.get("/docs/style.css", (context) => context.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
}
