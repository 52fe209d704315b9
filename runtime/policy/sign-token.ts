/** Signs the tokens of this host. Who has its secret can make any. */
import type { Tier } from '@plexichat/sdk/protocol/declaration';
import { SignJWT } from 'jose';

export interface TokenClaims {
  readonly sub: string;
  readonly tier: Tier;
  readonly permissions: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  /** What the host's settings ask every token for. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** `jti`: by it the token can be withdrawn. */
  readonly id?: string | undefined;
}

export function signToken(secret: Uint8Array, claims: TokenClaims, now: number = Date.now()): Promise<string> {
  const { sub, tier, permissions, lifetime, issuer, audience, id } = claims;
  const issuedAt = Math.floor(now / 1000);
  const extra = {
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
    ...(id === undefined ? {} : { jti: id }),
  };
  return new SignJWT({ tier, permissions, ...extra })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetime)
    .sign(secret);
}
