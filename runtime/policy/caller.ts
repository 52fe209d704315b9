/** Who calls, with everything about them that can be worked out once per credential instead of once per request. */
import type { Caller } from '@plexichat/sdk/protocol/invocation';

export interface KnownCaller {
  readonly caller: Caller;
  readonly permissions: ReadonlySet<string>;
  /** Everything about the caller that an answer may depend on; unambiguous for any id. */
  readonly cacheKey: string;
  /** Names the credential, where it can be withdrawn: a token's `jti`, an API key's id. */
  readonly credentialId: string | undefined;
}

export function knowCaller(caller: Caller, credentialId: string | undefined): KnownCaller {
  const permissions = [...new Set(caller.permissions)].sort();
  return {
    caller: Object.freeze({ ...caller, permissions: Object.freeze(permissions) as string[] }),
    permissions: new Set(permissions),
    cacheKey: JSON.stringify([caller.id, caller.tier, permissions]),
    credentialId,
  };
}
