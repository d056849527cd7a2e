import { tellRefused, token } from "./session.ts";

/** What the service, or the way to it, refused; `message` is for people. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
  }
}

/**
 * Returns the answer of the service to a request with this tab's token.
 * @throws Refusal with the code of the problem; `unreachable` where no answer came.
 */
export async function fetchAnswer(path: string, init: RequestInit = {}): Promise<Response> {
  const bearer = token();
  const headers = { ...init.headers, ...(bearer !== null && { authorization: `Bearer ${bearer}` }) };
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal("unreachable", 0, "The service does not answer. Is collapsar serve still running?");
  }
  if (response.ok) return response;
  if (response.status === 401) tellRefused();
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new Refusal(
    problem.code ?? "internal",
    response.status,
    problem.detail ?? `The service answered ${response.status}.`,
  );
}

/** Returns what the service answers to `GET path`. @throws as `fetchAnswer`. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await fetchAnswer(path, signal ? { signal } : {})).json() as Promise<T>;
}

/** Returns what the service answers to `POST path` with `body` as JSON. @throws as `fetchAnswer`. */
export async function post<T>(path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return (await fetchAnswer(path, { method: "POST", ...init })).json() as Promise<T>;
}

/** Returns `path` with a query of what is neither null, undefined nor empty. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | null | undefined>>): string {
  const parameters = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const search = new URLSearchParams(parameters.map(([key, value]) => [key, String(value)]));
  return search.size > 0 ? `${path}?${search}` : path;
}

/** Returns a path with its parts escaped: path`/runs/${id}`. */
export function path(strings: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return String.raw({ raw: strings }, ...parts.map((part) => encodeURIComponent(part)));
}
