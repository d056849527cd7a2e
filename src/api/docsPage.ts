import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What of JSON Schema our contract uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: { readonly description?: string; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** What of an OpenAPI 3.1 document the page shows. */
export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Returns the reference of the API as one page: what can be asked, what is answered, and the shapes of both. */
export function docsPage({ info, paths, components }: OpenApiDocument): Html {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const schemas = Object.entries(components.schemas);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/style.css">
</head>
<body>
<nav>
<h2>Requests</h2>
<ul>${operations.map(
    ({ method, path }) =>
      html`<li><a href="#${anchor(method, path)}"><b class="${method}">${method}</b> ${path}</a></li>`,
  )}</ul>
<h2>Shapes</h2>
<ul>${schemas.map(([name]) => html`<li><a href="#${name}">${name}</a></li>`)}</ul>
</nav>
<main>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${info.description}. For programs: <a href="openapi.json">openapi.json</a>.
A token is shown as <code>Authorization: Bearer TOKEN</code>; errors are
<a href="#Problem">problems</a> of RFC 9457, and 400, 401, 403 and 429 may answer any request.</p>
${operations.map(operationSection)}
<h2>Shapes</h2>
${schemas.map(([name, schema]) => html`<section id="${name}"><h3>${name}</h3>${shape(schema)}</section>`)}
</main>
</body>
</html>`;
}

/** Answers that the page tells of once, for all requests. */
const EVERYWHERE: ReadonlySet<string> = new Set(["400", "401", "403", "429"]);

function operationSection({ method, path, operation }: { method: string; path: string; operation: Operation }): Html {
  const { summary, parameters = [], requestBody, responses } = operation;
  const answers = Object.entries(responses).filter(([status]) => !EVERYWHERE.has(status));
  return html`<section id="${anchor(method, path)}">
<h3><b class="${method}">${method}</b> ${path}</h3>
<p>${summary}</p>
${parameters.length > 0 ? table(parameters.map((one) => fieldRow(`${one.name}`, one.schema ?? {}, one.required, one.description, one.in))) : ""}
${requestBody ? html`<h4>Body</h4>${requestBody.description ? html`<p>${requestBody.description}</p>` : ""}${contents(requestBody.content)}` : ""}
<h4>Answers</h4>
<dl>${answers.map(
    ([status, { description, content }]) =>
      html`<dt>${status}</dt><dd>${description} ${content ? html`<small>${mediaTypes(content)}</small>` : ""}</dd>`,
  )}</dl>
</section>`;
}

function contents(content: Content): Html[] {
  return Object.values(content).map(({ schema = {} }) => html`${shape(schema)}`);
}

function mediaTypes(content: Content): Html[] {
  return Object.entries(content).map(
    ([type, { schema = {} }], i) => html`${i > 0 ? ", " : ""}${type}: ${typeOf(schema)}`,
  );
}

function shape(schema: Schema): Html {
  const { properties, required = [] } = schema;
  if (!properties) return html`<p>${typeOf(schema)} ${schema.description}</p>`;
  return table(
    Object.entries(properties).map(([name, field]) =>
      fieldRow(name, field, required.includes(name), field.description),
    ),
  );
}

function table(rows: Html[]): Html {
  return html`<table><tbody>${rows}</tbody></table>`;
}

function fieldRow(name: string, schema: Schema, required = false, description?: string, place?: string): Html {
  const initially = schema.default === undefined ? "" : html` <small>default ${JSON.stringify(schema.default)}</small>`;
  return html`<tr><th scope="row"><code>${name}</code> <small>${place}${place && required ? ", " : ""}${required ? "required" : ""}</small></th>
<td>${typeOf(schema)}${initially}</td><td>${description ?? schema.description}</td></tr>`;
}

function typeOf(schema: Schema): Html {
  const { $ref, type, items, prefixItems, anyOf, allOf, properties, additionalProperties } = schema;
  if ($ref) {
    const name = $ref.split("/").at(-1)!;
    return html`<a href="#${name}">${name}</a>`;
  }
  if (schema.enum) return html`${schema.enum.map((value) => JSON.stringify(value)).join(" | ")}`;
  if (schema.const !== undefined) return html`${JSON.stringify(schema.const)}`;
  const several = anyOf ?? allOf;
  if (several) return html`${several.map((one, i) => html`${i > 0 ? " or " : ""}${typeOf(one)}`)}`;
  if (prefixItems) return html`[${prefixItems.map((one, i) => html`${i > 0 ? ", " : ""}${typeOf(one)}`)}]`;
  if (items) return html`list of ${typeOf(items)}${isNullable(type) ? " or null" : ""}`;
  if (properties)
    return html`{ ${Object.entries(properties).map(([name, field], i) => html`${i > 0 ? ", " : ""}${name}: ${typeOf(field)}`)} }${isNullable(type) ? " or null" : ""}`;
  if (typeof additionalProperties === "object") return html`map of names to ${typeOf(additionalProperties)}`;
  return html`${[type ?? "anything"].flat().join(" or ")}`;
}

function isNullable(type: Schema["type"]): boolean {
  return Array.isArray(type) && type.includes("null");
}

function anchor(method: string, path: string): string {
  return `${method}${path.replace(/[^a-z0-9]+/gi, "-")}`;
}

/** The style sheet of the page. */
export const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: 13px; }
nav h2 { font-size: 13px; margin: 0.5rem 0; } nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: 0.1rem 0; overflow-wrap: anywhere; color: inherit; text-decoration: none; } nav a:hover { text-decoration: underline; }
main { padding: 1rem 2rem 4rem; max-width: 70rem; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1rem; scroll-margin-top: 0.5rem; }
h3, h4 { margin: 0.6rem 0 0.3rem; } h3 { font-size: 17px; } h4 { font-size: 14px; } small { opacity: 0.75; font-weight: normal; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { width: 24%; } td:nth-child(2) { width: 34%; } code { font: 13px ui-monospace, monospace; }
dl { margin: 0; display: grid; grid-template-columns: 3rem 1fr; } dd { margin: 0; }
b { text-transform: uppercase; font: 600 12px ui-monospace, monospace; } .get { color: #2a7ab8; } .post { color: #2e8b57; } .patch { color: #b8860b; } .delete { color: #c0392b; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 1rem; } }
`;
