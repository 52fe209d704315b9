/** The guest's side of `users`: what the host knows of a user. */
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { Tier } from '../protocol/declaration.ts';

export interface UsersClient {
  /**
   * The tier of a user; null when this host knows no such user. Needs the permission `users:read`.
   * @throws PermissionDeniedError, an Error with code INVALID_CALL when the id is no text of 1 to 256 characters
   * @example
   * if ((await this.users.getTier('alice')) === 'premium') return fullReport();
   */
  getTier(userId: string): Promise<Tier | null>;
  /**
   * What a user may do; empty for one that this host does not know. Needs the permission `users:read`.
   * @throws as getTier does
   * @example
   * const mayWrite = (await this.users.getPermissions('alice')).includes('notes:write');
   */
  getPermissions(userId: string): Promise<readonly string[]>;
}

export function createUsersClient(host: HostBinding): UsersClient {
  const ask = async (method: string, userId: unknown): Promise<unknown> => {
    try {
      return await host.call('users', method, [userId]);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  return Object.freeze({
    getTier: async (userId: string) => (await ask('tier', userId)) as Tier | null,
    getPermissions: async (userId: string) => (await ask('permissions', userId)) as readonly string[],
  });
}
