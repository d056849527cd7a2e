import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer, isIP, connect as tcpConnect } from "node:net";
import { fileURLToPath } from "node:url";
import { buildConnector } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CollapsarError } from "../../src/errors.ts";
import { MACHINE, type Network } from "../../src/storage/dial.ts";
import { download } from "../../src/storage/download.ts";
import { httpsStorage } from "../../src/storage/https.ts";
import { startDns } from "../servers/dns.ts";
import { HOSTILE_NAMES, HOSTILE_URLS } from "./hostileUrls.ts";

const tls = (file: string) => readFileSync(fileURLToPath(new URL(`../fixtures/tls/${file}`, import.meta.url)));
const PUBLIC = "93.184.215.14";
const NAMES: Record<string, readonly string[]> = {
  ...HOSTILE_NAMES,
  "models.example": [PUBLIC],
  "mirror.example": [PUBLIC],
};
const CONTENT = Buffer.from("0123456789");

/** Stands for the public internet: the dialer leads here whoever dials `PUBLIC`. */
let server: Server;
/** What nobody may reach. */
const listener = createTcpServer((socket) => {
  seen++;
  socket.destroy();
});
let seen = 0;
/** Addresses that were dialled. */
let dialled: string[] = [];
let trusted: buildConnector.connector;

const portOf = (of: { address(): unknown }) => (of.address() as AddressInfo).port;

const network: Network = {
  resolve: async (host) => {
    if (isIP(host)) return [host];
    return NAMES[host] ?? (await lookup(host, { all: true })).map(({ address }) => address);
  },
  connect: (options, callback) => {
    dialled.push(options.hostname);
    if (options.hostname === PUBLIC)
      trusted({ ...options, hostname: "127.0.0.1", port: `${portOf(server)}` }, callback);
    else if (/^(127\.|::1$|localhost)/.test(options.hostname)) MACHINE.connect(options, callback);
    else callback(new Error("nothing leaves this machine"), null);
  },
};
const storage = httpsStorage({ allowed: null, network });

beforeAll(async () => {
  const [key, cert] = [tls("key.pem"), tls("certificate.pem")];
  trusted = buildConnector({ ca: cert });
  server = createServer({ key, cert }, (request, response) => {
    const url = new URL(request.url!, "https://models.example");
    const etag = `"${url.searchParams.get("version") ?? 1}"`;
    response.setHeader("connection", "close");
    const to = url.searchParams.get("to");
    if (url.pathname === "/redirect") response.writeHead(302, { location: Buffer.from(to!).toString("latin1") }).end();
    else if (url.pathname === "/loop") response.writeHead(302, { location: "/loop" }).end();
    else if (url.pathname === "/unversioned") response.writeHead(200, { "content-length": 1 }).end("a");
    else if (url.pathname === "/unsized") response.writeHead(200, { etag }).end(CONTENT);
    else if (url.pathname === "/packed") response.writeHead(200, { etag, "content-encoding": "gzip" }).end(CONTENT);
    else if (url.pathname === "/cut") {
      response.writeHead(200, { etag, "content-length": 100 });
      response.write(CONTENT, () => response.destroy());
    } else if (url.pathname.startsWith("/status/")) response.writeHead(Number(url.pathname.slice(8))).end();
    else {
      const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      if (start === undefined) return response.writeHead(200, { etag, "content-length": CONTENT.length }).end(CONTENT);
      const range = `bytes ${start}-${last}/${CONTENT.length}`;
      response.writeHead(206, { etag, "content-range": range }).end(CONTENT.subarray(Number(start), Number(last) + 1));
    }
  });
  server.listen(0, "127.0.0.1");
  listener.listen(0, "127.0.0.1");
  await Promise.all([once(server, "listening"), once(listener, "listening")]);
});
afterAll(() => {
  server.close();
  listener.close();
});
beforeEach(() => {
  seen = 0;
  dialled = [];
});

describe("https", () => {
  const url = "https://models.example/run/epoch-1.safetensors?X-Amz-Signature=5ec2e7";

  it("reads an object, its head and a range of it", async () => {
    const { bytes, head } = await download(storage, url);
    expect(Buffer.from(bytes)).toEqual(CONTENT);
    expect(head).toEqual({ url, size: 10, etag: '10 "1"' });
    expect(await storage.head(url)).toEqual(head);
    expect(Buffer.from(await storage.readRange(head, { start: 3, end: 6 }))).toEqual(Buffer.from("345"));
    expect(new Set(dialled)).toEqual(new Set([PUBLIC]));
  });

  it("refuses a range of another version, and an object that is too large", async () => {
    const head = await storage.head(url);
    await expect(storage.readRange({ ...head, etag: '10 "0"' }, { start: 0, end: 1 })).rejects.toMatchObject({
      code: "storage-unavailable",
    });
    await expect(download(storage, url, { maxBytes: 9 })).rejects.toMatchObject({ code: "object-too-large" });
  });

  it("follows redirects to public hosts, and no more than five", async () => {
    const once = "https://models.example/redirect?to=https://mirror.example/b";
    expect((await download(storage, once)).bytes).toHaveLength(10);
    await expect(storage.head("https://models.example/loop")).rejects.toMatchObject({
      code: "forbidden-url",
      message: expect.stringContaining("more than 5"),
    });
    expect(dialled).toHaveLength(2 + 6);
  });

  it.each([
    ["unversioned", "unsupported-url"],
    ["unsized", "unsupported-url"],
    ["packed", "storage-unavailable"],
    ["cut", "storage-unavailable"],
    ["status/404", "object-not-found"],
    ["status/403", "forbidden-url"],
    ["status/503", "storage-unavailable"],
  ])("tells of /%s by %s, without the query", async (path, code) => {
    const error = await download(storage, `https://models.example/${path}?signature=secret`).catch((error) => error);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(path);
    expect(error.message).not.toContain("secret");
  });

  it("refuses a certificate of another name, and ends with its signal", async () => {
    NAMES["other.example"] = [PUBLIC];
    await expect(storage.head("https://other.example/a")).rejects.toMatchObject({
      code: "storage-unavailable",
      message: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
    });
    const reason = new Error("cancelled");
    await expect(storage.head(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("only reads", async () => {
    const refused = { code: "unsupported-url", message: expect.stringContaining("only read") };
    await expect(storage.write(url, CONTENT)).rejects.toMatchObject(refused);
    await expect(storage.remove(url)).rejects.toMatchObject(refused);
    await expect(Array.fromAsync(storage.list(url))).rejects.toMatchObject(refused);
  });

  it("holds redirects too to the hosts that are allowed", async () => {
    const strict = httpsStorage({ allowed: ["https://models.example"], network });
    expect(await strict.head(url)).toMatchObject({ size: 10 });
    const redirected = strict.head("https://models.example/redirect?to=https://mirror.example/b");
    await expect(redirected).rejects.toMatchObject({ code: "forbidden-url" });
    expect(dialled).toEqual([PUBLIC, PUBLIC]);
  });
});

describe("an internal host", () => {
  const inside: Network = {
    resolve: async () => ["10.1.2.3"],
    connect: (options, callback) => {
      dialled.push(options.hostname);
      trusted({ ...options, hostname: "127.0.0.1", port: `${portOf(server)}` }, callback);
    },
  };
  const url = "https://models.example/a";

  it("is read where COLLAPSAR_ALLOW names it, port and all, and nowhere else", async () => {
    const named = httpsStorage({ allowed: ["https://Models.Example", "https://mirror.example:8443"], network: inside });
    expect(await named.head(url)).toMatchObject({ size: 10 });
    expect(dialled).toEqual(["10.1.2.3"]);
    await expect(named.head("https://mirror.example/a")).rejects.toMatchObject({ code: "forbidden-url" });
    for (const allowed of [null, ["https:"], ["https://*.example"]])
      await expect(httpsStorage({ allowed, network: inside }).head(url)).rejects.toMatchObject({
        code: "forbidden-url",
      });
    expect(dialled).toHaveLength(1);
  });

  it("is none that tells secrets of a cloud, though it be named", async () => {
    for (const address of ["169.254.169.254", "fe80::1", "168.63.129.16", "fd00:ec2::254", "224.0.0.1", "0.0.0.0"]) {
      const network = { ...inside, resolve: async () => ["10.1.2.3", address] };
      const refused = httpsStorage({ allowed: ["https://models.example"], network }).head(url);
      await expect(refused).rejects.toMatchObject({ code: "forbidden-url" });
    }
    expect(dialled).toEqual([]);
  });
});

describe("hostile URLs", () => {
  const refusals = ["forbidden-url", "unsupported-url", "storage-unavailable"];
  const urls = () => HOSTILE_URLS.map((url) => url.replace("PORT", `${portOf(listener)}`));

  it("are at least 60, and their listener sees who does reach it", async () => {
    expect(new Set(HOSTILE_URLS).size).toBeGreaterThanOrEqual(60);
    await once(tcpConnect(portOf(listener), "127.0.0.1").resume(), "close");
    expect(seen).toBe(1);
    // the storage would reach it, were it not for the rule on addresses
    await new Promise<void>((done) => {
      const options = { hostname: "127.0.0.1", port: `${portOf(listener)}`, protocol: "https:" };
      network.connect(options, () => done());
    });
    expect(seen).toBe(2);
    expect(dialled).toEqual(["127.0.0.1"]);
  });

  it.each(HOSTILE_URLS)("%j is refused before anything is dialled", async (pattern) => {
    const url = pattern.replace("PORT", `${portOf(listener)}`);
    for (const ask of [storage.head, storage.read]) {
      const error: unknown = await ask(url).catch((error) => error);
      expect(refusals).toContain((error as CollapsarError).code);
      expect((error as CollapsarError).message).not.toContain("secret");
    }
    expect({ dialled, seen }).toEqual({ dialled: [], seen: 0 });
  });

  it("are refused where a redirect leads to them", async () => {
    for (const url of urls()) {
      if (/^(\/\/|https:\/?\d)/.test(url)) continue; // in a redirect these are paths, or of the same scheme
      dialled = [];
      const from = `https://models.example/redirect?to=${encodeURIComponent(url)}`;
      const error = await storage.read(from).catch((error) => error);
      expect({ url, code: refusals.includes(error.code) }).toEqual({ url, code: true });
      expect({ url, dialled }).toEqual({ url, dialled: [PUBLIC] });
    }
    const relative = `https://models.example/redirect?to=//127.0.0.1:${portOf(listener)}/a`;
    await expect(storage.read(relative)).rejects.toMatchObject({ code: "forbidden-url" });
    expect(seen).toBe(0);
  });

  it("that are rebound between two looks at the name are connected to what was checked, and then refused", async () => {
    const dns = await startDns((n) => (n === 0 ? [PUBLIC] : ["127.0.0.1"]));
    const rebound = httpsStorage({ allowed: null, network: { ...network, resolve: dns.resolve } });
    const url = `https://rebound.example:${portOf(listener)}/a`;
    try {
      expect(await rebound.head(url)).toMatchObject({ size: 10 });
      expect({ dialled, questions: dns.questions }).toEqual({ dialled: [PUBLIC], questions: 1 });
      await expect(rebound.head(url)).rejects.toMatchObject({ code: "forbidden-url" });
      expect({ dialled, questions: dns.questions, seen }).toEqual({ dialled: [PUBLIC], questions: 2, seen: 0 });
    } finally {
      dns.stop();
    }
  });
});
