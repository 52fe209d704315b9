/** `/api/v1/debug/breakpoints`: modules in debug mode that have stopped, what they show, and how they go on. */
import { Hono } from 'hono';
import type { Breakpoints, WaitingBreakpoint } from '../capabilities/breakpoints.ts';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseBody, refuseQuery } from './task-input.ts';

export interface DebugParts {
  readonly breakpoints: Pick<Breakpoints, 'list' | 'resume'>;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 600;
const MAX_WORDS_BYTES = 1024;

export function mountDebug(platform: Hono<GatewayEnv>, { authenticate }: GatewayTools, parts: DebugParts): void {
  platform.route('/api/v1/debug/breakpoints', debugRoutes({ authenticate, ...parts }));
}

export function debugRoutes({
  authenticate,
  breakpoints,
  audit,
}: DebugParts & { readonly authenticate: Authenticate }): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  // What a module shows may be about its users: seeing it is not for everybody who may look at modules.
  const mayManage = operatorsOnly(authenticate, 'modules:manage');
  const audited = createAudited(audit);

  routes.get('/', mayManage, limitOperators(READS), (context) => {
    refuseQuery(context.req.url);
    context.header('cache-control', 'no-store');
    return context.json({ breakpoints: breakpoints.list().map(view) });
  });

  routes.post('/:id/resume', mayManage, limitOperators(ACTIONS), async (context) => {
    refuseQuery(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    const id = context.req.param('id');
    const found = breakpoints.list().find((one) => one.id === id);
    const subject = found === undefined ? {} : { module: found.module };
    const resumed = await audited(context, 'breakpoint.resume', subject, async () => breakpoints.resume(id));
    return context.json(view(resumed));
  });

  routes.all('/', mayManage, () => refuseMethod('GET, HEAD'));
  routes.all('/:id/resume', mayManage, () => refuseMethod('POST'));
  return routes;
}

function view({ id, module, label, locals, at, until }: WaitingBreakpoint) {
  return {
    id,
    module,
    label,
    locals: JSON.parse(locals) as unknown,
    since: new Date(at).toISOString(),
    until: new Date(until).toISOString(),
  };
}
