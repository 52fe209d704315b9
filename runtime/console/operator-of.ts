/** Who asks: by the headers of an API caller, or by the cookie of a browser. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { GatewayEnv } from '../gateway/env.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { KnownCaller } from '../policy/caller.ts';
import type { Operator, Sessions } from './session.ts';

export interface ConsoleEnv {
  Bindings: GatewayEnv['Bindings'];
  Variables: GatewayEnv['Variables'] & { operator: Operator };
}

export const SESSION_COOKIE = 'plexi_session';

/** undefined when nobody says who they are. @throws PlexiError UNAUTHENTICATED, FORBIDDEN for a credential that is no good here */
export async function operatorOf(
  context: Context<ConsoleEnv>,
  authenticate: Authenticate,
  sessions: Sessions,
): Promise<Operator | undefined> {
  const known = await authenticate(context.req.header('authorization'), context.req.header('x-api-key'));
  if (known !== null) return asOperator(known);
  const token = getCookie(context, SESSION_COOKIE);
  return token === undefined ? undefined : sessions.read(token);
}

/** @throws PlexiError FORBIDDEN */
export function asOperator({ caller, permissions, credentialId }: KnownCaller): Operator {
  const operator = pickOperator(caller.id, permissions, credentialId);
  if (operator !== undefined) return operator;
  throw new PlexiError('FORBIDDEN', 'The console is for operators: the caller lacks the permission modules:read.');
}

/** undefined when none of the permissions opens the console. */
export function pickOperator(
  sub: string,
  permissions: Iterable<string>,
  credential: string | undefined,
): Operator | undefined {
  const held = new Set(permissions);
  const counted = (['modules:read', 'modules:manage'] as const).filter((permission) => held.has(permission));
  if (counted.length === 0) return undefined;
  return { sub, permissions: counted, ...(credential === undefined ? {} : { credential }) };
}

export function mayManage({ permissions }: Operator): boolean {
  return permissions.includes('modules:manage');
}
