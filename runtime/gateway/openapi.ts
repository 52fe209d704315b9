/** The OpenAPI 3.1 document of all endpoints that can be called: OpenAPI 3.1 schemas are JSON Schemas, so ours go in as they are. */
import type { EndpointDeclaration } from '@plexichat/sdk/protocol/declaration';
import type { ServedModule } from '../modules/served-module.ts';
import { accessRule } from '../policy/authorize.ts';
import { isServable } from '../policy/module-state.ts';
import { OPENAPI_COMPONENTS } from './openapi-components.ts';

export type OpenApiObject = Readonly<Record<string, unknown>>;

export interface OpenApiDocument extends OpenApiObject {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiObject>>>>;
}

export function buildOpenApi(modules: readonly ServedModule[], title: string): OpenApiDocument {
  const served = modules.filter(({ state, manifest }) => isServable(state) && manifest.api.enabled);
  const paths: Record<string, Record<string, OpenApiObject>> = {};
  for (const module of served) {
    for (const endpoint of module.declaration.endpoints) {
      const path = module.prefix + templatePath(endpoint.path);
      paths[path] ??= {};
      // The first of two declarations wins, as it does in the router.
      paths[path][endpoint.method.toLowerCase()] ??= operation(module, endpoint);
    }
  }
  return {
    openapi: '3.1.1',
    info: { title, version: '1.0.0' },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    tags: served.map(({ name, version, manifest }) => ({
      name,
      description: [manifest.module_description, `(version ${version})`].filter(Boolean).join(' '),
    })),
    paths,
    components: OPENAPI_COMPONENTS,
  };
}

/** `/users/:id/*` becomes `/users/{id}/{rest}`; the bare prefix has no slash at its end. */
function templatePath(path: string): string {
  if (path === '/') return '';
  return path.replace(/:([A-Za-z_][A-Za-z0-9_]*)/g, '{$1}').replace(/\*$/, '{rest}');
}

function operation(module: ServedModule, endpoint: EndpointDeclaration): OpenApiObject {
  const { schemas } = endpoint;
  const access = accessRule(module.manifest, endpoint);
  return {
    operationId: `${module.name}_${endpoint.handler.replace(/[^A-Za-z0-9]+/g, '_')}`,
    tags: [module.name],
    ...(endpoint.summary === undefined ? {} : { summary: endpoint.summary }),
    parameters: [...pathParameters(endpoint), ...queryParameters(schemas.query)],
    ...(schemas.body === undefined ? {} : { requestBody: { required: true, content: json(schemas.body) } }),
    responses: {
      200: { description: 'The module’s answer', ...(schemas.response ? { content: json(schemas.response) } : {}) },
      ...problemResponses(endpoint, access.anonymous),
    },
    security: access.anonymous ? [{}, ...CREDENTIALS] : CREDENTIALS,
    'x-plexi-permissions': access.permissions,
    'x-plexi-tiers': [...access.tiers],
    ...(endpoint.rateLimit === undefined ? {} : { 'x-plexi-rate-limit-per-minute': endpoint.rateLimit }),
    ...(endpoint.cacheTtl === undefined ? {} : { 'x-plexi-cache-seconds': endpoint.cacheTtl }),
  };
}

const CREDENTIALS = [{ bearer: [] }, { apiKey: [] }] as const;

function pathParameters({ path, schemas }: EndpointDeclaration): OpenApiObject[] {
  const properties = record(schemas.params?.properties);
  const names = [...path.matchAll(/:([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name ?? '');
  const rest = path.endsWith('*') ? [{ name: 'rest', in: 'path', required: true, schema: { type: 'string' } }] : [];
  return [
    ...names.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: Object.hasOwn(properties, name) ? properties[name] : { type: 'string' },
    })),
    ...rest,
  ];
}

function queryParameters(schema: OpenApiObject | undefined): OpenApiObject[] {
  const required = Array.isArray(schema?.required) ? schema.required : [];
  return Object.entries(record(schema?.properties)).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name) && record(property).default === undefined,
    schema: property,
  }));
}

function problemResponses(endpoint: EndpointDeclaration, anonymous: boolean): OpenApiObject {
  const { params, query, body } = endpoint.schemas;
  const checked = endpoint.validateInput && (params ?? query ?? body) !== undefined;
  const statuses = [
    ...(endpoint.method === 'GET' ? [] : [400, 413]),
    401,
    ...(anonymous ? [] : [403]),
    ...(checked ? [422] : []),
    ...[429, 500, 502, 503, 504],
  ];
  return Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/Problem' }]));
}

function json(schema: unknown): OpenApiObject {
  return { 'application/json': { schema } };
}

function record(value: unknown): OpenApiObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
