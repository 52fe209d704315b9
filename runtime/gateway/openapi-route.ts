import { Hono } from 'hono';
import type { ModuleDirectory } from '../modules/served-module.ts';
import type { GatewayEnv } from './env.ts';
import { buildOpenApi, type OpenApiDocument } from './openapi.ts';

export interface OpenApiNow {
  readonly document: OpenApiDocument;
  readonly text: string;
}

export function openApiRoute(current: () => OpenApiNow): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  routes.get('/openapi.json', (context) => {
    context.header('cache-control', 'no-cache');
    return context.body(current().text, 200, { 'content-type': 'application/json' });
  });
  return routes;
}

/** Built again only when a module came, went, changed or moved to another state. */
export function openApiSource(directory: ModuleDirectory, title: string): () => OpenApiNow {
  let builtFor = '';
  let document: OpenApiDocument = { paths: {} };
  let text = '';
  return () => {
    const states = directory.list().map(({ name, state }) => `${name}:${state}`);
    const wanted = `${directory.revision} ${states.join(' ')}`;
    if (wanted !== builtFor) {
      document = buildOpenApi(directory.list(), title);
      text = JSON.stringify(document);
      builtFor = wanted;
    }
    return { document, text };
  };
}
