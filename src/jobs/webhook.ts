import type { Agent, Dispatcher } from "undici";
import type { Database } from "../database/database.ts";
import { type Evaluation, getEvaluation } from "../database/evaluations.ts";
import { CollapsarError } from "../errors.ts";
import type { Network } from "../storage/dial.ts";
import { isNamed, requireAllowed } from "../storage/policy.ts";
import { redactUrl, unsupportedUrl } from "../storage/url.ts";
import type { Deliver } from "./deliveries.ts";

/** For one delivery: to connect, to send, and to be answered. */
const LONGEST_DELIVERY_MS = 10_000;

/** The receiver wants no more of it. */
const GONE = 410;

/** What is told, of which each attempt tells the same. */
export interface Message {
  /** Of the event: whoever gets it twice knows it by this. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** Tells receivers of webhooks. */
export interface WebhookSender {
  /**
   * Requires that `url` may be told.
   * @throws CollapsarError `invalid-request` where this service signs nothing; `unsupported-url`, `forbidden-url`.
   */
  require(url: string): void;
  /**
   * Posts `message`, signed after Standard Webhooks, and returns when the receiver has taken it (2xx). Redirects are not
   * followed. @throws CollapsarError as `require`; `webhook-failed`.
   */
  send(url: string, message: Message, signal: AbortSignal): Promise<void>;
}

export interface WebhookOptions {
  /** Each signs every message, `whsec_…`. */
  readonly secrets: readonly string[];
  /** As `requireAllowed` has it. Plain http and internal addresses only of hosts that it names. */
  readonly allowed: readonly string[] | null;
  /** Default: that of this machine. */
  readonly network?: Network;
}

/** Returns the sender of webhooks. What it needs to send is loaded when it first does. */
export function webhookSender({ secrets, allowed, network }: WebhookOptions): WebhookSender {
  let loading: Promise<{ agent: Agent; sign: (message: Message, at: Date) => string }> | undefined;

  async function load() {
    const [{ Webhook }, { MACHINE, publicAgent }] = await Promise.all([
      import("standardwebhooks"),
      import("../storage/dial.ts"),
    ]);
    const signers = secrets.map((secret) => new Webhook(secret));
    const sign = ({ id, body }: Message, at: Date) => signers.map((signer) => signer.sign(id, at, body)).join(" ");
    return { agent: publicAgent(network ?? MACHINE, allowed), sign };
  }

  function require(url: string): void {
    if (secrets.length === 0)
      throw new CollapsarError(
        "invalid-request",
        "webhook: this service signs none, expected COLLAPSAR_WEBHOOK_SECRET in its environment",
      );
    requireTarget(url, allowed);
  }

  return {
    require,
    async send(url, message, signal) {
      require(url);
      loading ??= load();
      const { agent, sign } = await loading;
      const now = new Date();
      const { origin, pathname, search } = new URL(url);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_DELIVERY_MS)]);
      const headers = {
        "content-type": "application/json",
        "user-agent": "collapsar",
        "webhook-id": message.id,
        "webhook-timestamp": `${Math.floor(now.getTime() / 1000)}`,
        "webhook-signature": sign(message, now),
      };
      const request = {
        origin,
        path: pathname + search,
        method: "POST",
        headers,
        body: message.body,
        signal: limit,
      } as const;
      const answer = await agent.request(request).catch((error) => {
        throw asWebhookError(url, error, limit);
      });
      requireTaken(url, answer);
    },
  };
}

/** Returns what tells the receiver of a delivery how its evaluation ended, as `show` shows it. */
export function delivererOf(
  database: Database,
  webhooks: Pick<WebhookSender, "send">,
  show: (evaluation: Evaluation) => object,
): Deliver {
  return async ({ evaluation: id, endedAt, url }, signal) => {
    const evaluation = await getEvaluation(database, id);
    if (evaluation.finishedAt?.toISOString() !== endedAt) return; // retried since: it will end again
    const body = JSON.stringify({
      type: `evaluation.${evaluation.status}`,
      timestamp: endedAt,
      data: show(evaluation),
    });
    await webhooks.send(url, { id: `${id}-${Date.parse(endedAt)}`, body }, signal);
  };
}

function requireTarget(url: string, allowed: readonly string[] | null): void {
  const parsed = URL.parse(url);
  if (!parsed) throw unsupportedUrl(url, "it is not a URL");
  const { protocol, origin, username, password } = parsed;
  if (username || password) throw unsupportedUrl(url, "it holds credentials");
  if (protocol !== "https:" && !(protocol === "http:" && isNamed(origin, allowed)))
    throw unsupportedUrl(url, "expected an https URL (http only of a host that COLLAPSAR_WEBHOOK_ALLOW names)");
  requireAllowed(url, allowed, "COLLAPSAR_WEBHOOK_ALLOW");
}

/** The body of the answer is not read. */
function requireTaken(url: string, { statusCode: status, body }: Dispatcher.ResponseData): void {
  body.on("error", () => {}); // of the abort itself
  body.destroy();
  if (status >= 200 && status < 300) return;
  const options = { retryable: status !== GONE };
  throw new CollapsarError("webhook-failed", `the webhook at ${hostOf(url)} answered HTTP ${status}`, options);
}

/** The text of a failure of the network is left out, and so is the path: they may hold what is secret. */
function asWebhookError(url: string, error: unknown, signal: AbortSignal): unknown {
  if (error instanceof CollapsarError && error.code !== "storage-unavailable") return error;
  const { code, name } = (signal.aborted ? signal.reason : error) as NodeJS.ErrnoException;
  return new CollapsarError("webhook-failed", `the webhook at ${hostOf(url)} failed: ${code ?? name}`, {
    cause: error,
  });
}

function hostOf(url: string): string {
  return new URL(redactUrl(url)).host;
}
