import { defineConfig } from "drizzle-kit";

/** `npx drizzle-kit generate --name WHAT_CHANGED` writes the next migration from the schema. */
export default defineConfig({
  dialect: "postgresql",
  schema: "src/database/schema.ts",
  out: "migrations",
  casing: "snake_case",
});
