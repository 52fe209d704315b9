/** What a module may learn about users: only with `users:read`, only those whom this host knows. */
import { USERS_METHODS } from '@plexichat/sdk/protocol/capabilities/users';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Caller } from '@plexichat/sdk/protocol/invocation';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';
import type { PermissionGate } from './permission-gate.ts';

export interface UserDirectory {
  find(userId: string): Caller | undefined;
}

const checkUserId = Compile(USERS_METHODS.tier.args);

export function createUsersCapability(users: UserDirectory, gate: PermissionGate): Capability {
  return ({ module }) => {
    const find = (args: unknown[]): Caller | undefined => {
      gate.require(module, { capability: 'users' }, 'Looking up users');
      if (!checkUserId.Check(args)) throw new PlexiError('INVALID_CALL', 'A user id is a text of 1 to 256 characters.');
      return users.find(args[0]);
    };
    return {
      tier: (...args) => find(args)?.tier ?? null,
      permissions: (...args) => find(args)?.permissions ?? [],
    };
  };
}
