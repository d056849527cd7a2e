import { createParser } from "eventsource-parser";
import { fetchAnswer } from "./request.ts";

/**
 * Calls `onData` with the data of each server-sent event of `path` until the stream ends. It is read by `fetch`, for an
 * EventSource shows no token.
 * @throws Refusal as `fetchAnswer`.
 */
export async function follow<T>(path: string, onData: (data: T) => void, signal: AbortSignal): Promise<void> {
  const { body } = await fetchAnswer(path, { signal, headers: { accept: "text/event-stream" } });
  const parser = createParser({ onEvent: ({ data }) => onData(JSON.parse(data) as T) });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) parser.feed(part.value);
}
