import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { asCollapsarError, redact } from "../errors.ts";
import { log, within } from "../logging.ts";
import { VERSION } from "../version.ts";
import { stageEnded } from "./events.ts";
import type { SpanDescription, Tracer } from "./tracing.ts";

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER };

/** For all tries of one sending. It is also the time of the last one, when the process is to stop within 30 s. */
const SEND_MS = 3_000;

const HEADER = "traceparent";
const propagator = new W3CTraceContextPropagator();

/**
 * Returns a tracer that sends spans by OTLP over HTTP, as OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS,
 * OTEL_SERVICE_NAME, … say. A collector that is away is logged, and holds nothing up.
 */
export function openTracer(): Tracer {
  diag.setLogger(DIAGNOSTICS, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": "collapsar", "service.version": VERSION }))
    .merge(detectResources({ detectors: [envDetector] }));
  const exporter = new OTLPTraceExporter({ timeoutMillis: SEND_MS });
  const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer = provider.getTracer("collapsar", VERSION);
  const endStages = stageEnded.hear(({ stage, seconds, endedAt }) => {
    const within = context.active();
    if (!trace.getSpan(within)) return;
    tracer.startSpan(stage, { startTime: endedAt - seconds * 1000 }, within).end(endedAt);
  });

  return {
    async span({ name, kind, parent, attributes, ended }: SpanDescription, work) {
      const around = parent === undefined ? context.active() : contextOf(parent);
      const span = tracer.startSpan(name, { kind: KINDS[kind], ...(attributes && { attributes }) }, around);
      try {
        const { traceId } = span.spanContext();
        return await context.with(trace.setSpan(around, span), () => within({ trace_id: traceId }, work));
      } catch (error) {
        const { code, message } = asCollapsarError(error);
        span.setAttribute("error.type", code).setStatus({ code: SpanStatusCode.ERROR, message });
        throw error;
      } finally {
        const last = ended?.();
        if (last) span.updateName(last.name).setAttributes(last.attributes);
        if (last?.failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      }
    },

    traceparent() {
      const carrier = new Map<string, string>();
      propagator.inject(context.active(), carrier, { set: (to, key, value) => to.set(key, value) });
      return carrier.get(HEADER);
    },

    async stop() {
      endStages();
      await provider.shutdown().catch((error) => warn(String(error)));
      context.disable();
    },
  };
}

/** Returns the context in which a span has the parent that `traceparent` names; one of its own where it names none. */
function contextOf(traceparent: string): Context {
  return propagator.extract(ROOT_CONTEXT, traceparent, {
    keys: () => [HEADER],
    get: (header, key) => (key === HEADER ? header : undefined),
  });
}

const warn = (message: string) => log.warn(`traces: ${redact(message)}`);
const DIAGNOSTICS = { error: warn, warn, info() {}, debug() {}, verbose() {} };
