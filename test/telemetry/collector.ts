import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import protobuf from "protobufjs";

/** What of OTLP's trace.proto the tests look at. */
const { root } = protobuf.parse(`syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { string string_value = 1; int64 int_value = 3; double double_value = 4; }`);
const request = root.lookupType("Request");

type KeyValues = { key: string; value: { stringValue?: string; intValue?: number; doubleValue?: number } }[];

/** A span as the collector received it; ids in hex, times in milliseconds. */
export interface ReceivedSpan {
  readonly service: unknown;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code?: number; readonly message?: string } | undefined;
}

/** An OTLP collector on loopback that keeps what it gets. */
export interface Collector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Returns all spans once there is one with this name. */
  until(name: string): Promise<readonly ReceivedSpan[]>;
  stop(): void;
}

/** Starts a collector. */
export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (incoming, answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    if (incoming.url === "/v1/traces") spans.push(...decode(Buffer.concat(chunks)));
    answer.setHeader("content-type", "application/x-protobuf").end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async until(name) {
      for (let waited = 0; waited < 30_000; waited += 50) {
        if (spans.some((span) => span.name === name)) return spans;
        await sleep(50);
      }
      throw new Error(`no span "${name}" came, but ${spans.map((span) => span.name).join(", ")}`);
    },
    stop: () => void server.close(),
  };
}

function decode(bytes: Buffer): ReceivedSpan[] {
  const { resourceSpans } = request.toObject(request.decode(bytes), { longs: Number, bytes: Array, arrays: true });
  return resourceSpans.flatMap(({ resource, scopeSpans }: { resource: { attributes: KeyValues }; scopeSpans: [] }) => {
    const service = valuesOf(resource.attributes)["service.name"];
    return scopeSpans.flatMap(({ spans }: { spans: Record<string, never>[] }) =>
      spans.map((span) => ({
        service,
        trace: hex(span.traceId),
        id: hex(span.spanId),
        parent: hex(span.parentSpanId),
        name: span.name,
        kind: span.kind,
        start: Number(span.startTimeUnixNano) / 1e6,
        end: Number(span.endTimeUnixNano) / 1e6,
        attributes: valuesOf(span.attributes ?? []),
        status: span.status,
      })),
    );
  });
}

const hex = (bytes: readonly number[] = []) => Buffer.from(bytes).toString("hex");

function valuesOf(pairs: KeyValues): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]),
  );
}
