import type { z } from "@hono/zod-openapi";
import { problemSchema } from "./contract.ts";

/** Returns the OpenAPI entry of a JSON answer. */
export function jsonAnswer<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** The OpenAPI entry of any error. */
export const problemAnswer = {
  description: "what was wrong (RFC 9457)",
  content: { "application/problem+json": { schema: problemSchema } },
};
