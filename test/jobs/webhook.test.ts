import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/database/open.ts";
import { webhookSender } from "../../src/jobs/webhook.ts";
import { emptyFolder } from "../api/samples.ts";
import { webhooksContract } from "../contract/webhooks.ts";
import { fresh } from "../database/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startReceiver } from "../servers/receiver.ts";

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

const [folder, server] = await Promise.all([emptyFolder(), startPostgres()]);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// An embedded database takes seconds to make, and a moment to copy.
const template = { home: join(folder, "template"), databaseUrl: null };
await (await openDatabase(template, "collapsar test")).close();

webhooksContract("the embedded database", async () => {
  const home = join(folder, fresh("home"));
  cpSync(template.home, home, { recursive: true });
  return { home, databaseUrl: null };
});
if (server) webhooksContract("PostgreSQL", async () => ({ home: folder, databaseUrl: await freshDatabase(server) }));

describe("COLLAPSAR_WEBHOOK_ALLOW", () => {
  const requireUrl = (url: string, allow?: string) => {
    const { webhookAllowed: allowed, webhookSecrets: secrets } = readConfig({
      COLLAPSAR_WEBHOOK_SECRET: SECRET,
      ...(allow && { COLLAPSAR_WEBHOOK_ALLOW: allow }),
    });
    return () => webhookSender({ secrets, allowed }).require(url);
  };

  it.each([
    ["https://hooks.example/a?b=c", undefined],
    ["https://hooks.example/a", "https:"],
    ["https://a.hooks.example:8443/a", "https://*.hooks.example:8443"],
    ["http://127.0.0.1:9000/a", "https:, http://127.0.0.1:9000"],
    ["http://receiver/a", "http://receiver"],
  ])("lets %s pass (%s)", (url, allow) => {
    expect(requireUrl(url, allow)).not.toThrow();
  });

  it.each([
    ["no URL", undefined, "unsupported-url"],
    ["http://hooks.example/a", undefined, "unsupported-url"],
    ["http://hooks.example/a", "https:", "unsupported-url"],
    ["http://receiver:81/a", "http://receiver", "unsupported-url"],
    ["https://user:secret@hooks.example/a", undefined, "unsupported-url"],
    ["file:///etc/passwd", undefined, "unsupported-url"],
    ["https://other.example/a?secret", "https://hooks.example", "forbidden-url"],
  ])("does not let %s pass (%s)", (url, allow, code) => {
    expect(requireUrl(url, allow)).toThrow(expect.objectContaining({ code }));
    expect(requireUrl(url, allow)).not.toThrow("secret");
  });

  it.each(["http:", "http://*.internal", "https://host/path", "ftp://host"])("cannot be %j", (text) => {
    expect(() => readConfig({ COLLAPSAR_WEBHOOK_ALLOW: text })).toThrow(/COLLAPSAR_WEBHOOK_ALLOW/);
  });

  it.each(["whsec_short", "secret", `${SECRET},`])("nor the secret %j, which is not shown", (text) => {
    const read = () => readConfig({ COLLAPSAR_WEBHOOK_SECRET: text });
    expect(read).toThrow(/COLLAPSAR_WEBHOOK_SECRET\.\d: expected whsec_/);
    expect(read).not.toThrow(text);
  });

  it("is held to when a message is sent, also for addresses behind a name that nobody named", async () => {
    const receiver = await startReceiver();
    const { port } = new URL(receiver.origin);
    const { signal } = new AbortController();
    const message = { id: "1", body: "{}" };
    for (const host of ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "169.254.169.254"]) {
      const sent = webhookSender({ secrets: [SECRET], allowed: ["https:"] }).send(
        `https://${host}:${port}/`,
        message,
        signal,
      );
      await expect(sent).rejects.toMatchObject({ code: "forbidden-url", retryable: false });
    }
    await webhookSender({ secrets: [SECRET], allowed: [`http://localhost:${port}`] }).send(
      `http://localhost:${port}/named`,
      message,
      signal,
    );
    const metadata = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
    for (const url of metadata)
      await expect(
        webhookSender({ secrets: [SECRET], allowed: metadata }).send(`${url}/`, message, signal),
      ).rejects.toMatchObject({ code: "forbidden-url" });
    expect(receiver.received.map(({ path }) => path)).toEqual(["/named"]);
    receiver.stop();
  });
});
