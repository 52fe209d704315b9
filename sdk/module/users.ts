/** Questions about users: from what the request brought, else asked of the host. */
import type { Tier } from '../protocol/declaration.ts';
import type { Caller } from '../protocol/invocation.ts';
import { activeHost } from './active-host.ts';
import { toAuthorError } from './errors.ts';
import type { HostBinding } from './host-binding.ts';

/**
 * The tier of a user, or null when there is no such user. Needs the permission `users:read`.
 * @throws PermissionDeniedError
 * @example
 * if ((await getUserTier('alice')) === 'premium') return fullReport();
 */
export function getUserTier(userId: string): Promise<Tier | null> {
  return askTier(activeHost('getUserTier'), userId);
}

/**
 * Whether a user has all of the permissions. The user of the context (`ctx.user`) is answered at once from what the
 * request brought; for a user id the host is asked, which needs the permission `users:read`. Nobody (null) has none.
 * @throws PermissionDeniedError
 * @example
 * if (!(await checkPermissions(user, ['notes:write']))) throw new HttpError(403, 'You may only read.');
 */
export async function checkPermissions(user: Caller | string | null, permissions: readonly string[]): Promise<boolean> {
  if (user === null) return permissions.length === 0;
  const held = typeof user === 'string' ? await askPermissions(activeHost('checkPermissions'), user) : user.permissions;
  return permissions.every((permission) => held.includes(permission));
}

async function askTier(host: HostBinding, userId: string): Promise<Tier | null> {
  try {
    return (await host.call('users', 'tier', [userId])) as Tier | null;
  } catch (error) {
    throw toAuthorError(error);
  }
}

async function askPermissions(host: HostBinding, userId: string): Promise<readonly string[]> {
  try {
    return (await host.call('users', 'permissions', [userId])) as string[];
  } catch (error) {
    throw toAuthorError(error);
  }
}
