import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

/** Asks an app in a process of its own, as its log goes to standard error, and returns the answers' ids and the lines. */
function ask(path: string, id?: string): { id: string; lines: Record<string, unknown>[] } {
  const source = `
    const { createApp } = await import("./src/api/app.ts");
    const { requestLog } = await import("./src/api/requestLog.ts");
    const app = createApp({ database: { orm: {}, ping: async () => {} } }, requestLog);
    const headers = ${JSON.stringify(id === undefined ? {} : { "x-request-id": id })};
    const response = await app.request(${JSON.stringify(path)}, { headers });
    console.log(response.headers.get("x-request-id"));`;
  const both = execFileSync("sh", ["-c", 'exec "$0" --input-type=module --eval "$1" 2>&1', process.execPath, source]);
  const texts = both.toString().trim().split("\n");
  return {
    id: texts.find((text) => !text.startsWith("{"))!,
    lines: texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text)),
  };
}

it("logs one line per request with the id that the caller gave and gets back, without the query", () => {
  const { id, lines } = ask("/nowhere?token=secret", "caller-7");
  expect(id).toBe("caller-7");
  expect(lines).toMatchObject([{ request: "caller-7", method: "GET", path: "/nowhere", status: 404, msg: "request" }]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

it("gives an id of its own where none is well-formed, and logs the stack of what is unexpected", () => {
  const { id, lines } = ask("/evaluations/x", "two words");
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines).toMatchObject([
    { request: id, code: "internal", stack: expect.stringContaining("at ") },
    { request: id, status: 500 },
  ]);
});
