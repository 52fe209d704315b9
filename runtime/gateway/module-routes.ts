/** `GET /api/v1/modules` and `/api/v1/modules/:name`: what is installed and how it is, for operators. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Hono } from 'hono';
import type { ModuleDirectory, ServedModule } from '../modules/served-module.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { type OperatorEnv, operatorsOnly } from './operator.ts';

export function moduleRoutes(directory: ModuleDirectory, authenticate: Authenticate): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  routes.use(operatorsOnly(authenticate, 'modules:read'));
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
