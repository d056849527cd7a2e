import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { SCOPES } from "../database/scopes.ts";
import { createToken, listTokens, revokeToken, TOKEN, type Token } from "../database/tokens.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

const fields = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits or . _ -"),
  scope: z.enum(SCOPES).openapi({ description: "read; submit also evaluates; admin also changes and deletes" }),
};
const given = z
  .string()
  .regex(TOKEN, "expected clp_ and the base64url of 32 random bytes")
  .optional()
  .openapi({ description: "one that was made elsewhere; default: a random one" });
const tokenSchema = z.object({ ...fields, createdAt: z.iso.datetime() }).openapi("Token");
const createdSchema = z
  .object({ ...tokenSchema.shape, token: z.string().openapi({ description: "shown this once" }) })
  .openapi("NewToken");
const listSchema = z.object({ items: z.array(tokenSchema) }).openapi("Tokens");

export const create = createRoute({
  method: "post",
  path: "/tokens",
  summary: "Make a token",
  request: {
    body: { required: true, content: { "application/json": { schema: z.strictObject({ ...fields, token: given }) } } },
  },
  responses: {
    201: jsonAnswer(createdSchema, "the token"),
    400: problemAnswer,
    409: problemAnswer,
    415: problemAnswer,
  },
});

export const list = createRoute({
  method: "get",
  path: "/tokens",
  summary: "Names and scopes of the tokens",
  responses: { 200: jsonAnswer(listSchema, "in order of name") },
});

export const revoke = createRoute({
  method: "delete",
  path: "/tokens/{name}",
  summary: "End a token",
  request: { params: z.object({ name: z.string() }) },
  responses: { 204: { description: "it is refused from now on" }, 404: problemAnswer },
});

/** Adds `GET` and `POST /tokens`, `DELETE /tokens/:name`. */
export function tokenRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(create, async (context) => {
    const { token, ...kept } = await createToken(database, context.req.valid("json"));
    context.header("Cache-Control", "no-store");
    return context.json({ ...toResource(kept), token }, 201);
  });
  app.openapi(list, async (context) => context.json({ items: (await listTokens(database)).map(toResource) }, 200));
  app.openapi(revoke, async (context) => {
    await revokeToken(database, context.req.valid("param").name);
    return context.body(null, 204);
  });
}

function toResource({ createdAt, ...token }: Token) {
  return { ...token, createdAt: createdAt.toISOString() };
}

export type NewToken = z.infer<typeof createdSchema>;
export type TokenList = z.infer<typeof listSchema>;
