import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { follow } from "../../src/dashboard/answers/follow.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server that `answer`s, asked by `fetch` as a page does; and the events that were heard last before each request. */
async function serving(answer: (response: ServerResponse, request: number) => void) {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    asked.push(headers["last-event-id"] as string | undefined);
    response.writeHead(200, { "content-type": "text/event-stream" });
    answer(response, asked.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => fetch(origin + path, init));
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { asked, [Symbol.dispose]: stop };
}

const event = (id: string, name: string) => `id: ${id}\nevent: ${name}\ndata: "${id}"\n\n`;

it("a stream that falls silent is asked for again from where it was, one that goes on is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let open: ServerResponse | undefined;
  using server = await serving((response, request) => {
    if (request === 1) open = response;
    if (request === 1) response.write(event("1", "progress"));
    else response.end(event("6", "ended"));
  });
  const heard: string[] = [];
  const following = follow<string>("/events", (data) => heard.push(data), new AbortController().signal);
  await vi.waitFor(() => expect(heard).toEqual(["1"]), 20_000);
  for (const id of ["2", "3", "4", "5"]) {
    vi.advanceTimersByTime(30_000);
    open!.write(event(id, "progress"));
    await vi.waitFor(() => expect(heard).toContain(id), 20_000);
  }
  expect(server.asked).toEqual([undefined]);
  vi.advanceTimersByTime(45_000);
  await vi.waitFor(() => expect(heard).toEqual(["1", "2", "3", "4", "5", "6"]), 20_000);
  await following;
  expect(server.asked).toEqual([undefined, "5"]);
});
