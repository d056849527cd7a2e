import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type * as aggregate from "../api/aggregate.ts";
import type * as compare from "../api/compare.ts";
import type * as correlations from "../api/correlations.ts";
import type * as evaluationList from "../api/evaluationList.ts";
import type * as evaluations from "../api/evaluations.ts";
import type * as events from "../api/events.ts";
import type * as experiments from "../api/experiments.ts";
import type * as health from "../api/health.ts";
import type * as metrics from "../api/metrics.ts";
import type * as notifications from "../api/notifications.ts";
import type * as runs from "../api/runs.ts";
import type * as tokens from "../api/tokens.ts";

/** The modules that define routes. A test holds that none is left out. */
type Modules = [
  typeof aggregate,
  typeof compare,
  typeof correlations,
  typeof evaluationList,
  typeof evaluations,
  typeof events,
  typeof experiments,
  typeof health,
  typeof metrics,
  typeof notifications,
  typeof runs,
  typeof tokens,
];

type RoutesOf<Module> = Module extends unknown
  ? { [Name in keyof Module]: Module[Name] extends RouteConfig ? Module[Name] : never }[keyof Module]
  : never;

/** What can be had as CSV too is JSON unless CSV is asked for. */
type AsJson<R extends RouteConfig> = Omit<R, "responses"> & {
  responses: {
    [Status in keyof R["responses"]]: R["responses"][Status] extends { content: infer Content }
      ? { description: string; content: Omit<Content, "text/csv"> }
      : R["responses"][Status];
  };
};

declare const app: OpenAPIHono;

type Served<R> = R extends RouteConfig ? ReturnType<typeof app.openapi<AsJson<R>>> : never;

/** The HTTP API as Hono's `hc` reads it: the union of its routes, of which a handler of the service cannot differ. */
export type Api = Served<RoutesOf<Modules[number]>>;
