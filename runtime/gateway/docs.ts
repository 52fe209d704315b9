/** `/docs`: the endpoints as a page, rendered here, with its own style and script files and nothing from elsewhere. */
import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import type { GatewayEnv } from './env.ts';
import type { OpenApiDocument, OpenApiObject } from './openapi.ts';
import type { OpenApiNow } from './openapi-route.ts';

/** The page asks this origin only, runs no inline script, and cannot be framed. */
const CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ASSETS = {
  'docs.css': 'text/css; charset=utf-8',
  'docs.js': 'text/javascript; charset=utf-8',
} as const;

export function docsPages(current: () => OpenApiNow, title: string): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  const page = pageSource(current, title);
  routes.get('/docs', async (context) => {
    context.header('content-security-policy', CSP);
    context.header('cache-control', 'no-cache');
    return context.html(await page());
  });
  for (const [name, type] of Object.entries(ASSETS)) {
    const text = readFileSync(new URL(`./docs-page/${name}`, import.meta.url), 'utf8');
    routes.get(`/docs/${name}`, (context) =>
      context.body(text, 200, { 'content-type': type, 'cache-control': 'max-age=300' }),
    );
  }
  return routes;
}

/** Rendered once per document: the page of many modules is large, and anybody may ask for it. */
function pageSource(current: () => OpenApiNow, title: string): () => string | Promise<string> {
  let renderedFor: OpenApiDocument | undefined;
  let page: string | Promise<string> = '';
  return () => {
    const { document } = current();
    if (document !== renderedFor) {
      renderedFor = document;
      page = renderPage(document, title).toString();
    }
    return page;
  };
}

function renderPage(document: OpenApiDocument, title: string) {
  const tags = Array.isArray(document.tags) ? document.tags : [];
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}: API</title>
  <link rel="stylesheet" href="/docs/docs.css">
  <script src="/docs/docs.js" defer></script>
</head>
<body>
  <header>
    <h1>${title}</h1>
    <p><a href="/openapi.json">OpenAPI document</a></p>
    <label>Token <input id="token" type="password" autocomplete="off" placeholder="for “Try it”; stays in this page"></label>
    <label>Find <input id="find" type="search" placeholder="path, method or module"></label>
  </header>
  <main>
    ${tags.length === 0 ? html`<p class="empty">No module is running.</p>` : ''}
    ${tags.map((tag: { name: string; description: string }) => renderModule(tag, document))}
  </main>
</body>
</html>`;
}

function renderModule(tag: { name: string; description: string }, document: OpenApiDocument) {
  const room: Room = { charactersLeft: MAX_MODULE_SCHEMAS };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => Array.isArray(operation.tags) && operation.tags.includes(tag.name))
      .map(([method, operation]) => renderOperation(path, method, operation, room)),
  );
  return html`<section>
    <h2 id="module-${tag.name}">${tag.name}</h2>
    <p>${tag.description}</p>
    ${operations.length === 0 ? html`<p class="empty">It has no endpoints.</p>` : operations}
  </section>`;
}

function renderOperation(path: string, method: string, operation: OpenApiObject, room: Room) {
  const parameters: readonly OpenApiObject[] = Array.isArray(operation.parameters) ? operation.parameters : [];
  const body = jsonSchemaOf(operation.requestBody);
  return html`<details class="operation" data-method="${method}" data-path="${path}">
    <summary><b class="method ${method}">${method.toUpperCase()}</b> <code>${path}</code>
      <span>${operation.summary ?? ''}</span></summary>
    <dl>${facts(operation).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    <form>
      ${parameters.map(
        (
          parameter,
        ) => html`<label>${parameter.name} <small>${parameter.in}${parameter.required ? ', required' : ''}</small>
        <input name="${parameter.name}" data-in="${parameter.in}"></label>`,
      )}
      ${body === undefined ? '' : html`<label>Body <small>JSON</small><textarea name="body" rows="5"></textarea></label>`}
      <button type="submit">Try it</button>
    </form>
    ${schemaBlock('Body', body, room)}
    ${schemaBlock('Answer', jsonSchemaOf(responseOf(operation)), room)}
    <pre class="result" hidden aria-live="polite"></pre>
  </details>`;
}

function facts(operation: OpenApiObject): [string, string][] {
  const entries: [string, unknown][] = [
    ['Permissions', operation['x-plexi-permissions']],
    ['Tiers', operation['x-plexi-tiers']],
    ['Requests per minute', operation['x-plexi-rate-limit-per-minute']],
    ['Kept for (seconds)', operation['x-plexi-cache-seconds']],
  ];
  return entries
    .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(', ') : String(value ?? '')])
    .filter(([, value]) => value !== '');
}

/** What is left of the space for one module's schemas. */
interface Room {
  charactersLeft: number;
}

const MAX_SCHEMA = 20_000;
const MAX_MODULE_SCHEMAS = 500_000;

function schemaBlock(name: string, schema: unknown, room: Room) {
  if (schema === undefined) return raw('');
  const text = schemaText(schema, Math.min(MAX_SCHEMA, room.charactersLeft));
  room.charactersLeft -= text.length;
  return html`<details><summary>${name} schema</summary><pre>${text}</pre></details>`;
}

/** Boundary: a guest wrote the schema; indenting deep nesting multiplies its size. */
function schemaText(schema: unknown, limit: number): string {
  const compact = JSON.stringify(schema);
  const text = compact.length > limit ? compact : JSON.stringify(schema, null, 2);
  return text.length > limit ? `${text.slice(0, limit)}… (the rest is in /openapi.json)` : text;
}

interface WithContent {
  readonly content?: { readonly 'application/json'?: { readonly schema?: unknown } };
}

function jsonSchemaOf(holder: unknown): unknown {
  return isObject(holder) ? (holder as WithContent).content?.['application/json']?.schema : undefined;
}

function responseOf({ responses }: OpenApiObject): unknown {
  return isObject(responses) ? responses[200] : undefined;
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}
