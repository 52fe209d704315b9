/** Who may see the platform and steer it: operators, by permission. Every door of theirs uses this one check. */
import { createMiddleware } from 'hono/factory';
import type { Authenticate } from '../policy/authenticate.ts';
import { authorize } from '../policy/authorize.ts';
import type { KnownCaller } from '../policy/caller.ts';
import type { GatewayEnv } from './env.ts';

/** Who may manage may also read. */
export type OperatorPermission = 'modules:read' | 'modules:manage';

export interface OperatorEnv {
  Bindings: GatewayEnv['Bindings'];
  Variables: GatewayEnv['Variables'] & { operator: KnownCaller };
}

/** Boundary: an operator by an exact permission, whatever the tier; the handlers behind find who it is as `operator`. */
export function operatorsOnly(authenticate: Authenticate, permission: OperatorPermission) {
  const rule = { ...ANY_TIER, permissions: [permission] };
  return createMiddleware<OperatorEnv>(async (context, next) => {
    const from = { address: context.get('address') };
    const known = await authenticate(context.req.header('authorization'), context.req.header('x-api-key'), from);
    if (known?.permissions.has('modules:manage') !== true) authorize(rule, known);
    // Nobody does not get past the line above.
    context.set('operator', known as KnownCaller);
    context.header('cache-control', 'no-store');
    await next();
  });
}

const ANY_TIER = {
  anonymous: false,
  tiers: new Set(['basic', 'premium', 'admin'] as const),
  refusedTier: '',
};
