import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CollapsarError } from "../../src/errors.ts";
import { webhookSender } from "../../src/jobs/webhook.ts";
import { MACHINE, type Network } from "../../src/storage/dial.ts";
import { startDns } from "../servers/dns.ts";
import { startReceiver } from "../servers/receiver.ts";
import { HOSTILE_NAMES, HOSTILE_URLS } from "../storage/hostileUrls.ts";

const SECRETS = [`whsec_${Buffer.alloc(24, 7).toString("base64")}`];
const PUBLIC = "93.184.215.14";
const MESSAGE = { id: "1", body: "{}" };

/** What nobody may reach. */
let seen = 0;
const listener = createServer((socket) => {
  seen++;
  socket.destroy();
});
const portOf = () => (listener.address() as AddressInfo).port;

/** Addresses that were dialled; only loopback is really connected to. */
let dialled: string[] = [];
const network: Network = {
  resolve: async (host) => HOSTILE_NAMES[host] ?? (host === "models.example" ? [PUBLIC] : MACHINE.resolve(host)),
  connect: (options, callback) => {
    dialled.push(options.hostname);
    if (/^(127\.|::1$|localhost)/.test(options.hostname)) MACHINE.connect(options, callback);
    else callback(new Error("nothing leaves this machine"), null);
  },
};
const senderOf = (of: Network, allowed: readonly string[] | null = null) =>
  webhookSender({ secrets: SECRETS, allowed, network: of });
const send = (url: string, sender = senderOf(network)) =>
  sender.send(url, MESSAGE, new AbortController().signal).then(
    () => "sent",
    (error: unknown) => error,
  );

beforeAll(async () => {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
});
afterAll(() => void listener.close());
beforeEach(() => {
  seen = 0;
  dialled = [];
});

describe("a webhook", () => {
  it("to a public host is dialled, and the listener sees who does reach it", async () => {
    expect(await send("https://models.example/hook")).toMatchObject({ code: "webhook-failed" });
    expect(dialled).toEqual([PUBLIC]);
    await send(`https://127.0.0.1:${portOf()}/a`, senderOf(network, [`https://127.0.0.1:${portOf()}`]));
    expect(dialled).toEqual([PUBLIC, "127.0.0.1"]);
    expect(seen).toBe(1);
  });

  it.each(HOSTILE_URLS)("to %j is refused before anything is dialled", async (pattern) => {
    const error = await send(pattern.replace("PORT", `${portOf()}`));
    expect(error).toBeInstanceOf(CollapsarError);
    // a name that leads nowhere may lead somewhere later
    expect(["forbidden-url", "unsupported-url", "webhook-failed"]).toContain((error as CollapsarError).code);
    expect((error as CollapsarError).message).not.toContain("secret");
    expect({ dialled, seen }).toEqual({ dialled: [], seen: 0 });
  });

  it("to a name that is rebound is refused, and goes to no other address than was looked at", async () => {
    const dns = await startDns((n) => [n === 0 ? PUBLIC : "127.0.0.1"]);
    try {
      const rebound = senderOf({ ...network, resolve: dns.resolve });
      const url = `https://rebound.example:${portOf()}/hook`;
      expect(await send(url, rebound)).toMatchObject({ code: "webhook-failed" });
      expect({ dialled, questions: dns.questions }).toEqual({ dialled: [PUBLIC], questions: 1 });
      expect(await send(url, rebound)).toMatchObject({ code: "forbidden-url" });
      expect({ dialled, questions: dns.questions, seen }).toEqual({ dialled: [PUBLIC], questions: 2, seen: 0 });
    } finally {
      dns.stop();
    }
  });

  it("follows no redirect", async () => {
    const receiver = await startReceiver(({ path }, response) => {
      const location = `http://127.0.0.1:${portOf()}${path}`;
      response.writeHead(307, { location }).end();
    });
    const error = await send(`${receiver.origin}/hook`, senderOf(network, [receiver.origin]));
    expect(error).toMatchObject({ code: "webhook-failed", message: expect.stringContaining("307") });
    expect(dialled).toEqual(["127.0.0.1"]);
    expect(seen).toBe(0);
    receiver.stop();
  });
});
