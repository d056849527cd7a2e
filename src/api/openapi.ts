import type { OpenAPIHono } from "@hono/zod-openapi";
import { VERSION } from "../version.ts";

/** Answers that any path may give before its own code runs. */
const ALWAYS = [
  ["400", "the request cannot be read"],
  ["401", "no token, or a wrong one"],
  ["403", "the token's scope is too small"],
  ["429", "too many requests, or too many wrong tokens; Retry-After tells how long to wait"],
] as const;

/** Returns the service contract (OpenAPI 3.1) of the routes of `app`. */
export function openApiDocument(app: OpenAPIHono) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Collapsar", version: VERSION, description: "Neural-collapse evaluation of stored checkpoints" },
    security: [{ bearer: [] }],
  });
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  const refusals = Object.fromEntries(ALWAYS.map(([status, description]) => [status, { description, content }]));
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of Object.values(path)) operation.responses = { ...refusals, ...operation.responses };
  const securitySchemes = { bearer: { type: "http" as const, scheme: "bearer" } };
  return { ...document, components: { ...document.components, securitySchemes } };
}
