/** What a span tells of its work. */
export type Attributes = Readonly<Record<string, string | number>>;

/** A piece of work that a trace shows. */
export interface SpanDescription {
  readonly name: string;
  readonly kind: "server" | "consumer";
  /** `traceparent` (W3C Trace Context) of the span that asked for the work. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
  /** What is known only when the work has ended. */
  readonly ended?: () => { readonly name: string; readonly attributes: Attributes; readonly failed: boolean };
}

/** What makes spans and sends them. */
export interface Tracer {
  /** Returns what `work` does; spans and log lines within belong to this one. */
  span<T>(description: SpanDescription, work: () => Promise<T>): Promise<T>;
  /** Returns the `traceparent` of the span at work, undefined where there is none. */
  traceparent(): string | undefined;
  /** Sends what is not sent yet. */
  stop(): Promise<void>;
}

let tracer: Tracer | undefined;

/** Starts traces where `config` says that a collector takes them; without, OpenTelemetry is not loaded and nothing costs. */
export async function startTracing({ traced }: { readonly traced: boolean }): Promise<void> {
  if (!traced) return;
  const { openTracer } = await import("./openTelemetry.ts");
  tracer = openTracer();
}

/** Ends the traces. */
export async function stopTracing(): Promise<void> {
  const ending = tracer;
  tracer = undefined;
  await ending?.stop();
}

/** Returns what `work` does, and shows it as a span where traces are on. */
export function spanning<T>(description: SpanDescription, work: () => Promise<T>): Promise<T> {
  return tracer ? tracer.span(description, work) : work();
}

/** Returns the `traceparent` of the span at work, for work elsewhere that belongs to it; undefined where there is none. */
export function traceparent(): string | undefined {
  return tracer?.traceparent();
}
