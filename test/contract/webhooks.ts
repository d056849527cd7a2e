import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import type { EvaluationResource } from "../../src/api/contract.ts";
import { toResource } from "../../src/api/toResource.ts";
import type { Config } from "../../src/config.ts";
import { getEvaluation, startEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { recordEvaluation } from "../../src/database/record.ts";
import { CollapsarError } from "../../src/errors.ts";
import { backlogOf, untilEmpty } from "../../src/jobs/backlog.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { delivererOf, webhookSender } from "../../src/jobs/webhook.ts";
import { outcome, submission } from "../database/samples.ts";
import { type Received, startReceiver } from "../servers/receiver.ts";

type Place = Pick<Config, "home" | "databaseUrl">;

const SECRETS = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString("base64")}`);

interface Payload {
  readonly type: string;
  readonly timestamp: string;
  readonly data: EvaluationResource;
}

/** The payload, once the library has found it signed with `secret`. */
function verified({ body, headers }: Received, secret = SECRETS[0]!): Payload {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Payload;
}

/** What webhooks must do on every database. `provide` gives the place of an empty one. */
export function webhooksContract(name: string, provide: () => Promise<Place>): void {
  describe(`webhooks on ${name}`, { timeout: 60_000 }, () => {
    /** A service of which a worker records at once, but fails for good what its request calls `bad`. */
    async function open(place: Place, allowed: readonly string[], { works = true } = {}) {
      const database = await openDatabase(place, "collapsar test");
      const queue = await openQueue(database, () => {}, {
        backOff: { retryDelay: 0 },
        redelivery: { retryLimit: 16, retryDelay: 0 },
      });
      const webhooks = webhookSender({ secrets: SECRETS, allowed });
      await queue.deliver(delivererOf(database, webhooks, toResource));
      const work = () =>
        queue.work(
          async ({ evaluation: id }) => {
            if (!(await startEvaluation(database, id))) return;
            const { request } = await getEvaluation(database, id);
            if (request.checkpoint === "bad") throw new CollapsarError("wrong-shape", "conv1.weight has shape 1×2");
            await recordEvaluation(database, id, outcome());
          },
          { concurrency: 1 },
        );
      if (works) await work();
      const submit = async (url: string, checkpoint = "good") =>
        (await queue.submit(submission({ request: { checkpoint } }), url)).evaluation.id;
      const close = async () => {
        await queue.stop({ graceful: false });
        await database.close();
      };
      return { database, queue, work, submit, [Symbol.asyncDispose]: close };
    }

    const until = (expectation: () => unknown) => vi.waitFor(expectation, { timeout: 30_000, interval: 50 });

    it("tell how an evaluation ended, signed, as the API shows it, and whoever asks for it once", async () => {
      const receiver = await startReceiver();
      await using service = await open(await provide(), [receiver.origin], { works: false });
      const sent = submission();
      const asked = async (path: string) =>
        (await service.queue.submit(sent, `${receiver.origin}${path}`)).evaluation.id;
      const id = await asked("/first?key=1");
      expect(await asked("/first?key=1")).toBe(id);
      expect(await asked("/second")).toBe(id);
      const failing = await service.submit(`${receiver.origin}/bad`, "bad");
      const cancelled = await service.submit(`${receiver.origin}/cancelled`);
      await service.queue.cancel(cancelled);
      await service.work();
      await until(() => expect(receiver.received).toHaveLength(4));
      expect(await asked("/late")).toBe(id); // has ended already
      await until(() => expect(receiver.received).toHaveLength(5));

      const told = Object.fromEntries(receiver.received.map((one) => [one.path, one]));
      for (const [path, type, evaluation] of [
        ["/first?key=1", "evaluation.succeeded", id],
        ["/second", "evaluation.succeeded", id],
        ["/late", "evaluation.succeeded", id],
        ["/bad", "evaluation.failed", failing],
        ["/cancelled", "evaluation.cancelled", cancelled],
      ] as const) {
        const shown = toResource(await getEvaluation(service.database, evaluation));
        for (const secret of SECRETS)
          expect(verified(told[path]!, secret)).toEqual({ type, timestamp: shown.finishedAt, data: shown });
        expect(told[path]!.headers).toMatchObject({ "content-type": "application/json" });
      }
      expect(told["/first?key=1"]!.headers["webhook-id"]).toBe(told["/late"]!.headers["webhook-id"]);
      receiver.stop();
    });

    it("are tried again with the same id and the same words until they are taken, and never after that", async () => {
      const refusals = [500, 302, 404, 429];
      const receiver = await startReceiver((_, response) => {
        const status = refusals.shift() ?? 200;
        response.writeHead(status, { location: "/elsewhere" }).end("x".repeat(100_000));
      });
      await using service = await open(await provide(), [receiver.origin]);
      await service.submit(`${receiver.origin}/hook`);
      await until(() => expect(receiver.received).toHaveLength(5));
      await service.submit(`${receiver.origin}/next`);
      await until(() => expect(receiver.received.at(-1)!.path).toBe("/next"));
      const attempts = receiver.received.slice(0, -1);
      expect(attempts).toHaveLength(5);
      expect(new Set(attempts.map(({ path, body, headers }) => `${path} ${headers["webhook-id"]} ${body}`)).size).toBe(
        1,
      );
      for (const attempt of attempts) verified(attempt);
      receiver.stop();
    });

    it("are told of the end that counts: anew after a retry, with another id", async () => {
      const receiver = await startReceiver();
      await using service = await open(await provide(), [receiver.origin]);
      const id = await service.submit(`${receiver.origin}/hook`, "bad");
      await until(() => expect(receiver.received).toHaveLength(1));
      await service.queue.retry(id);
      await until(() => expect(receiver.received).toHaveLength(2));
      const [first, second] = receiver.received.map(({ headers }) => headers["webhook-id"]);
      expect(first).not.toBe(second);
      receiver.stop();
    });

    it("end with a receiver that is gone, and do not touch what is not public", async () => {
      const gone = await startReceiver((_, response) => void response.writeHead(410).end());
      const secret = await startReceiver();
      await using service = await open(await provide(), [gone.origin]);
      await service.submit(`${gone.origin}/hook`);
      await service.submit(`${secret.origin}/hook`); // as if it had been allowed when it was asked for
      await service.submit(`${gone.origin}/last`);
      await until(() => expect(gone.received.map(({ path }) => path)).toEqual(["/hook", "/last"]));
      expect(secret.received).toEqual([]);
      gone.stop();
      secret.stop();
    });

    it("hold up no evaluation and no other receiver, whether a dead one is silent, closes or fails", async () => {
      const dead = await startReceiver(({ path }, response) => {
        if (path === "/closes") response.destroy();
        if (path === "/fails") response.writeHead(500).end();
        if (path === "/drips") response.writeHead(200).write("."); // it has taken it; the rest is not waited for
      });
      const alive = await startReceiver();
      await using service = await open(await provide(), [dead.origin, alive.origin]);
      const begun = performance.now();
      const ids: string[] = [];
      for (const path of ["/silent", "/closes", "/fails", "/drips", "/silent"])
        for (let i = 0; i < 4; i++) ids.push(await service.submit(dead.origin + path));
      ids.push(await service.submit(`${alive.origin}/hook`));
      const signal = AbortSignal.timeout(20_000);
      await untilEmpty(service.database, { signal, onError: (error) => expect.fail(String(error)) });
      expect(await backlogOf(service.database)).toMatchObject({ waiting: 0, active: 0 });
      for (const id of ids) expect((await getEvaluation(service.database, id)).status).toBe("succeeded");
      await until(() => expect(alive.received).toHaveLength(1));
      // long before a silent receiver is given up
      expect(performance.now() - begun).toBeLessThan(9_000);
      dead.stop();
      alive.stop();
    });

    it("survive a restart of the service", async () => {
      const place = await provide();
      const receiver = await startReceiver((_, response) => void response.writeHead(503).end());
      const first = await open(place, [receiver.origin]);
      await first.submit(`${receiver.origin}/hook`);
      await until(() => expect(receiver.received.length).toBeGreaterThan(0));
      await first[Symbol.asyncDispose]();
      const before = receiver.received.length;
      const second = await open(place, [receiver.origin]);
      await until(() => expect(receiver.received.length).toBeGreaterThan(before));
      await second[Symbol.asyncDispose]();
      receiver.stop();
    });
  });
}
