import { createParser, type EventSourceMessage } from "eventsource-parser";
import { fetchAnswer, Refusal } from "./request.ts";

/** How long to wait before a broken stream is asked for again: a service that starts anew is there after seconds. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** The service says something every 15 s; a stream that says nothing for so long has broken without a word. */
const LONGEST_SILENCE_MS = 45_000;

/**
 * Calls `onData` with the data of each server-sent event of `path` until the event `ended`; a stream that breaks before is
 * asked for again, from where it was. It is read by `fetch`, for an EventSource shows no token.
 * @throws Refusal what the service refuses; the reason of `signal` once it is aborted.
 */
export async function follow<T>(path: string, onData: (data: T) => void, signal: AbortSignal): Promise<void> {
  let latest: string | undefined;
  let hasEnded = false;
  let failures = 0;
  const hear = ({ id, event, data }: EventSourceMessage) => {
    onData(JSON.parse(data) as T);
    latest = id ?? latest;
    hasEnded = event === "ended";
    failures = 0;
  };
  while (true) {
    try {
      await readEvents(path, { latest, signal }, hear);
    } catch (error) {
      if (signal.aborted || (error instanceof Refusal && !mayPass(error))) throw error;
    }
    if (hasEnded) return;
    await pause(PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)]!, signal);
  }
}

/** Calls `hear` with the events of `path` after the `latest` that was heard, until the stream ends, breaks or falls silent. */
async function readEvents(
  path: string,
  { latest, signal }: { readonly latest: string | undefined; readonly signal: AbortSignal },
  hear: (event: EventSourceMessage) => void,
): Promise<void> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error("the stream fell silent")), LONGEST_SILENCE_MS);
  };
  const headers = { accept: "text/event-stream", ...(latest !== undefined && { "last-event-id": latest }) };
  try {
    listen();
    const { body } = await fetchAnswer(path, { signal: AbortSignal.any([signal, silence.signal]), headers });
    const parser = createParser({ onEvent: hear });
    for await (const text of textOf(body!)) {
      listen();
      parser.feed(text);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function* textOf(body: NonNullable<Response["body"]>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    reader.cancel().catch(() => {}); // where it broke there is nothing to cancel
  }
}

/** Whether the same may be answered later: nothing answered, or what did is starting or stopping. */
function mayPass({ status }: Refusal): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** @throws the reason of `signal` when it is aborted first. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", abort);
  const timer = setTimeout(resolve, milliseconds);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}
