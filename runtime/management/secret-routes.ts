/** Secret settings: set and removed below a module, never shown; and the key of the vault. */
import { type Context, Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { SecretDesk } from '../modules/secret-desk.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { readModuleName, readSecretBody } from './module-input.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseBody, refuseQuery } from './task-input.ts';

export interface SecretRouteParts {
  readonly authenticate: Authenticate;
  readonly secrets: SecretDesk;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 120;
const ROTATIONS = 6;
const MAX_SECRET_BYTES = 64 * 1024;
const MAX_WORDS_BYTES = 1024;

/** Below /api/v1/modules. */
export function moduleSecretRoutes({ authenticate, secrets, audit }: SecretRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);
  const one = '/:name/secrets/:setting';

  routes.get('/:name/secrets', ...mayRead, async (context) => {
    refuseQuery(context.req.url);
    return context.json({ secrets: await secrets.list(namesOf(context).module) });
  });

  routes.put(one, ...mayAct, async (context) => {
    const names = namesOf(context);
    refuseQuery(context.req.url);
    const value = readSecretBody(await receiveJson(context, MAX_SECRET_BYTES));
    await audited(context, 'secret.set', names, (operator) =>
      secrets.set(names.module, names.setting, value, operator),
    );
    return context.json({ ...names, value: '***' });
  });

  routes.delete(one, ...mayAct, async (context) => {
    const names = namesOf(context);
    refuseQuery(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    await audited(context, 'secret.remove', names, () => secrets.remove(names.module, names.setting));
    return context.body(null, 204);
  });

  routes.all('/:name/secrets', ...mayRead, () => refuseMethod('GET, HEAD'));
  routes.all(one, ...mayRead, () => refuseMethod('PUT, DELETE'));
  return routes;
}

/** Below /api/v1/secrets. */
export function vaultRoutes({ authenticate, secrets, audit }: SecretRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = operatorsOnly(authenticate, 'modules:read');
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ROTATIONS)] as const;
  const audited = createAudited(audit);

  routes.post('/rotate', ...mayAct, async (context) => {
    refuseQuery(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    return context.json(await audited(context, 'secrets.rotate', {}, () => secrets.rotate()));
  });

  routes.all('/rotate', mayRead, () => refuseMethod('POST'));
  return routes;
}

function namesOf(context: Context<OperatorEnv>): { module: string; setting: string } {
  return { module: readModuleName(context.req.param('name')), setting: context.req.param('setting') ?? '' };
}
