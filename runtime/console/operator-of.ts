/** Who asks: by the headers of an API caller, or by the session of a browser. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import type { GatewayEnv } from '../gateway/env.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { KnownCaller } from '../policy/caller.ts';
import type { Operator, Sessions } from './session.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface ConsoleEnv {
  Bindings: GatewayEnv['Bindings'];
  Variables: GatewayEnv['Variables'] & Entry;
}

export interface Entry {
  operator: Operator;
  /** Not by a cookie alone: that shows the empty page, and nothing of what is in the queues. */
  isProven: boolean;
}

export interface DoorKeys {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly cookie: Pick<SessionCookie, 'read'>;
}

/** Pages keep the key in the storage of their origin, which no server on another port of the machine gets to see. */
export const PAGE_KEY_HEADER = 'x-plexi-page-key';

/** undefined when nobody says who they are. @throws PlexiError UNAUTHENTICATED, FORBIDDEN for a credential that is no good here */
export async function operatorOf(
  context: Context<ConsoleEnv>,
  { authenticate, sessions, cookie }: DoorKeys,
): Promise<Entry | undefined> {
  const from = { address: context.get('address') };
  const known = await authenticate(context.req.header('authorization'), context.req.header('x-api-key'), from);
  if (known !== null) return { operator: asOperator(known), isProven: true };
  const token = cookie.read(context);
  const operator = token === undefined ? undefined : await sessions.read(token);
  if (token === undefined || operator === undefined) return undefined;
  return { operator, isProven: sessions.isPageKey(token, context.req.header(PAGE_KEY_HEADER) ?? '') };
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
