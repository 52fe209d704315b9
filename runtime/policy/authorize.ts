/** Step: tier, admin, permissions. What an endpoint asks of its callers is worked out once; the check is a few lookups. */
import { type EndpointDeclaration, TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { KnownCaller } from './caller.ts';

export interface AccessRule {
  /** Nobody has to say who they are: nothing about the caller is asked for. */
  readonly anonymous: boolean;
  readonly tiers: ReadonlySet<Tier>;
  readonly permissions: readonly string[];
  readonly refusedTier: string;
}

type AccessFacts = Pick<Manifest, 'module_name' | 'user_tier_access' | 'security'>;

export function accessRule(
  manifest: AccessFacts,
  endpoint: Pick<EndpointDeclaration, 'permissions' | 'userTiers'>,
): AccessRule {
  const { require_authentication, admin_only } = manifest.security;
  const tiers = new Set(
    TIERS.filter(
      (tier) =>
        manifest.user_tier_access.includes(tier) &&
        (endpoint.userTiers?.includes(tier) ?? true) &&
        (!admin_only || tier === 'admin'),
    ),
  );
  return {
    anonymous: !require_authentication && tiers.size === TIERS.length && endpoint.permissions.length === 0,
    tiers,
    permissions: [...new Set(endpoint.permissions)],
    refusedTier: `This endpoint is for ${tiers.size === 0 ? 'no tier' : `the tier ${[...tiers].join(' or ')}`}`,
  };
}

/** @throws PlexiError UNAUTHENTICATED, FORBIDDEN */
export function authorize(rule: AccessRule, known: KnownCaller | null): void {
  if (known === null) {
    if (rule.anonymous) return;
    throw new PlexiError('UNAUTHENTICATED', 'Send a bearer token or an API key.', {
      headers: { 'www-authenticate': 'Bearer realm="plexi"' },
    });
  }
  if (!rule.tiers.has(known.caller.tier)) {
    throw new PlexiError('FORBIDDEN', `${rule.refusedTier}; yours is ${known.caller.tier}.`);
  }
  requirePermissions(rule.permissions, known);
}

/** Exact names only: no wildcard, and the admin tier has no permission that it was not given. */
export function requirePermissions(permissions: readonly string[], known: KnownCaller): void {
  for (const permission of permissions) {
    if (known.permissions.has(permission)) continue;
    const missing = permissions.filter((name) => !known.permissions.has(name));
    const words = missing.length === 1 ? 'permission' : 'permissions';
    throw new PlexiError('FORBIDDEN', `The caller lacks the ${words} ${missing.join(', ')}.`);
  }
}
