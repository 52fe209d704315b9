/** Makes what `welcome` shows to let its reader in. */
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import type { Host } from '../compose.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { signToken } from '../policy/sign-token.ts';
import { lineToTry, TRIAL_PERMISSIONS } from './line-to-try.ts';
import type { Access, AccessKind } from './welcome.ts';

const HOUR = 3600;
const OPERATOR = 'operator';

export async function grantAccess(
  kind: AccessKind,
  { secret, url, registry, issueLogin }: Host,
  { auth }: HostSettings,
): Promise<Access | undefined> {
  if (kind === 'nothing') return undefined;
  const isAll = kind === 'everything';
  const line = lineToTry(registry.list(), isAll ? ['admin'] : TIERS);
  if (!isAll && line === undefined) return undefined;
  const tier: Tier = line?.tier ?? 'admin';
  const hours = isAll ? 12 : 1;
  const { issuer, audience } = auth;
  // Boundary: it calls modules. What steers the host is never in a token that is printed.
  const claims = { sub: OPERATOR, tier, permissions: TRIAL_PERMISSIONS, lifetime: hours * HOUR, issuer, audience };
  return {
    token: await signToken(secret, claims),
    about: `of the ${tier} tier that may read and write, for the next ${hours === 1 ? 'hour' : `${hours} hours`}`,
    path: line?.path,
    login: isAll ? url + issueLogin(OPERATOR, ['modules:read', 'modules:manage']) : undefined,
  };
}
