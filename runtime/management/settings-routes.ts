/** Settings of a module: what is in force and where it comes from, and changing it. */
import { type Context, Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { SettingsDesk } from '../modules/settings-desk.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { readModuleName } from './module-input.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import { namesOf, readSettingsBody } from './settings-input.ts';
import { refuseQuery } from './task-input.ts';

export interface SettingsRouteParts {
  readonly authenticate: Authenticate;
  readonly settings: SettingsDesk;
  readonly audit: Audit;
}

/** Per minute and operator. Each of them looks whether config.yaml is another, and holds the settings against its schema. */
const READS = 300;
const ACTIONS = 60;
/** What can be set, with room for blanks and escapes. */
const MAX_BODY_BYTES = 512 * 1024;
const ONE = '/:name/settings';

/** Below /api/v1/modules. */
export function settingsRoutes({ authenticate, settings, audit }: SettingsRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);

  routes.get(ONE, ...mayRead, async (context) => {
    refuseQuery(context.req.url);
    return context.json(await settings.view(moduleOf(context)));
  });

  routes.put(ONE, ...mayAct, async (context) => {
    const module = moduleOf(context);
    refuseQuery(context.req.url);
    const patch = readSettingsBody(await receiveJson(context, MAX_BODY_BYTES));
    const changed = await audited(context, 'settings.change', { module, settings: namesOf(patch) }, (operator) =>
      settings.change(module, patch, operator),
    );
    return context.json(changed);
  });

  routes.all(ONE, ...mayRead, () => refuseMethod('GET, HEAD, PUT'));
  return routes;
}

function moduleOf(context: Context<OperatorEnv>): string {
  return readModuleName(context.req.param('name'));
}
