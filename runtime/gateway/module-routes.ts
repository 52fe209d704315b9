/** `GET /api/v1/modules` and `/api/v1/modules/:name`: what is installed and how it is, for operators. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Hono } from 'hono';
import type { ModuleDirectory, ServedModule } from '../modules/served-module.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { authorize } from '../policy/authorize.ts';
import type { GatewayEnv } from './env.ts';

export function moduleRoutes(directory: ModuleDirectory, authenticate: Authenticate): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  routes.use(async (context, next) => {
    const known = await authenticate(context.req.header('authorization'), context.req.header('x-api-key'));
    if (known?.permissions.has('modules:manage') !== true) authorize(OPERATORS, known);
    context.header('cache-control', 'no-store');
    await next();
  });
  routes.get('/', (context) => context.json({ modules: directory.list().map(summary) }));
  routes.get('/:name', (context) => {
    const name = context.req.param('name');
    const module = directory.list().find((candidate) => candidate.name === name);
    if (module === undefined) throw new PlexiError('NOT_FOUND', `No module is called ${name}.`);
    const { endpoints, tasks, events, pages } = module.declaration;
    return context.json({ ...summary(module), declares: { endpoints, tasks, events, pages } });
  });
  return routes;
}

const OPERATORS = {
  anonymous: false,
  tiers: new Set(['basic', 'premium', 'admin'] as const),
  permissions: ['modules:read'],
  refusedTier: '',
};

function summary({ name, version, state, reasons, prefix, manifest, declaration }: ServedModule) {
  return {
    name,
    version,
    description: manifest.module_description,
    author: manifest.module_author,
    state,
    reasons,
    prefix,
    endpoints: declaration.endpoints.length,
  };
}
