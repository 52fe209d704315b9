/** `/api/v1/modules`: what is installed, how it is, what it may do; and granting it. */
import { type Context, Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { GoneModule, ModuleDesk } from '../modules/module-desk.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { readGrantBody, readModuleName } from './module-input.ts';
import { summarise } from './module-summary.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseQuery } from './task-input.ts';

export interface ModuleRouteParts {
  readonly authenticate: Authenticate;
  readonly modules: ModuleDesk;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 120;
const MAX_GRANT_BYTES = 64 * 1024;

export function moduleRoutes({ authenticate, modules, audit }: ModuleRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);

  routes.get('/', ...mayRead, (context) => {
    refuseQuery(context.req.url);
    const broken = modules.broken.map(({ name, reasons }) => ({ name, reasons }));
    return context.json({ modules: modules.list().map(({ name }) => summarise(modules, name)), broken });
  });

  routes.get('/:name', ...mayRead, (context) => {
    refuseQuery(context.req.url);
    const module = modules.get(nameOf(context));
    const { endpoints, tasks, events, pages } = module.declaration;
    return context.json({ ...summarise(modules, module.name), declares: { endpoints, tasks, events, pages } });
  });

  routes.post('/:name/grant', ...mayAct, async (context) => {
    const module = nameOf(context);
    refuseQuery(context.req.url);
    const { permissions, revoke } = readGrantBody(await receiveJson(context, MAX_GRANT_BYTES));
    const changed =
      revoke.length > 0
        ? await audited(context, 'module.revoke', { module, permissions: revoke }, () => modules.revoke(module, revoke))
        : await audited(context, 'module.grant', { module, permissions }, (operator) =>
            modules.grant(module, permissions, operator),
          );
    return context.json('manifest' in changed ? summarise(modules, changed.name) : gone(changed));
  });

  routes.all('/', ...mayRead, () => refuseMethod('GET, HEAD, POST'));
  routes.all('/:name', ...mayRead, () => refuseMethod('GET, HEAD, DELETE'));
  routes.all('/:name/grant', ...mayRead, () => refuseMethod('POST'));
  return routes;
}

/** In the shape of those there are. */
function gone({ name, state, permissions }: GoneModule) {
  return { name, version: 'none', state, reasons: ['There is no such module any more.'], permissions };
}

function nameOf(context: Context<OperatorEnv>): string {
  return readModuleName(context.req.param('name'));
}
