/** `/api/v1/security-events`: what modules tried and may not, newest first. */
import { Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { SecurityEvent } from '../state/security-event.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import { readEventsQuery } from './module-input.ts';
import { limitOperators } from './operator-rate.ts';
import { refuseMethod } from './refuse-method.ts';

export interface SecurityEventRouteParts {
  readonly authenticate: Authenticate;
  readonly securityEvents: Pick<SecurityEvents, 'list'>;
}

/** Per minute and operator. */
const READS = 600;

export function securityEventRoutes({ authenticate, securityEvents }: SecurityEventRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;

  routes.get('/', ...mayRead, async (context) => {
    const query = readEventsQuery(context.req.url);
    const found = await securityEvents.list(query);
    const next = found.length < query.limit ? null : (found.at(-1)?.id ?? null);
    return context.json({ events: found.map(view), next });
  });

  routes.all('/', ...mayRead, () => refuseMethod('GET, HEAD'));
  return routes;
}

function view({ id, at, module, kind, name, details, count }: SecurityEvent) {
  return { id, at: new Date(at).toISOString(), module, kind, name, details, count };
}
