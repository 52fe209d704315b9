/** Questions about users: from what the request brought, else asked of the host. */
import { createUsersClient } from '../capabilities/users.ts';
import type { Tier } from '../protocol/declaration.ts';
import type { Caller } from '../protocol/invocation.ts';
import { activeHost } from './active-host.ts';

/**
 * The tier of a user, or null when there is no such user. Needs the permission `users:read`.
 * @throws PermissionDeniedError
 * @example
 * if ((await getUserTier('alice')) === 'premium') return fullReport();
 */
export function getUserTier(userId: string): Promise<Tier | null> {
  return createUsersClient(activeHost('getUserTier')).getTier(userId);
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
  const held =
    typeof user === 'string'
      ? await createUsersClient(activeHost('checkPermissions')).getPermissions(user)
      : user.permissions;
  return permissions.every((permission) => held.includes(permission));
}
