/** Bearer tokens: JWTs signed with the host's secret (HS256), or by an identity provider whose keys are at a JWKS URL. */
import { TierSchema } from '@plexichat/sdk/protocol/declaration';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type KnownCaller, knowCaller } from './caller.ts';

export interface TokenSettings {
  readonly secret?: Uint8Array | undefined;
  readonly jwksUrl?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

/** The token is no good; `message` is for the client. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';
  /** Somebody with the right key made it, and it is no good all the same: it has ended, or is for others. */
  readonly isSigned: boolean;

  constructor(message: string, isSigned = false) {
    super(message);
    this.isSigned = isSigned;
  }
}

const CLOCK_TOLERANCE_S = 5;
/** Longer ones are not read. */
export const MAX_TOKEN_LENGTH = 8192;
const MAX_REMEMBERED = 10_000;
/** Keys of an identity provider can be withdrawn, so what they signed is not believed for long. */
const JWKS_REMEMBER_MS = 60_000;
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

const Claims = Compile(
  Type.Object({
    sub: Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$' }),
    tier: TierSchema,
    permissions: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 256 })),
    jti: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    exp: Type.Number(),
  }),
);

/** The caller at once when the token was seen before, else a promise. @throws TokenRefusedError */
export type TokenCheck = (token: string) => KnownCaller | Promise<KnownCaller>;

export function createTokenCheck(settings: TokenSettings, now: () => number): TokenCheck {
  const remembered = new LRUCache<string, { caller: KnownCaller; until: number }>({ max: MAX_REMEMBERED });
  const verify = createVerifier(settings, now);
  return (token) => {
    const known = remembered.get(token);
    if (known !== undefined && now() < known.until) return known.caller;
    if (token.length > MAX_TOKEN_LENGTH) throw new TokenRefusedError('The token is too long.');
    return verify(token).then(({ caller, until }) => {
      remembered.set(token, { caller, until });
      return caller;
    });
  };
}

function createVerifier(settings: TokenSettings, now: () => number) {
  const { secret, jwksUrl } = settings;
  const jwks = jwksUrl === undefined ? undefined : createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5000 });
  const common: JWTVerifyOptions = {
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
    ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
    ...(settings.audience === undefined ? {} : { audience: settings.audience }),
  };
  return async (token: string): Promise<{ caller: KnownCaller; until: number }> => {
    const currentDate = new Date(now());
    try {
      // Boundary: the key is chosen by us, and each key goes with its own algorithms only.
      if (algorithmOf(token) === 'HS256' && secret !== undefined) {
        const { payload } = await jwtVerify(token, secret, { ...common, currentDate, algorithms: ['HS256'] });
        return remember(payload, Number.POSITIVE_INFINITY);
      }
      if (jwks === undefined)
        throw new TokenRefusedError('The token is signed with an algorithm that is not accepted.');
      const { payload } = await jwtVerify(token, jwks, { ...common, currentDate, algorithms: ASYMMETRIC });
      return remember(payload, now() + JWKS_REMEMBER_MS);
    } catch (error) {
      throw asRefusal(error);
    }
  };
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    throw new TokenRefusedError('The token is not a JWT.');
  }
}

function remember(payload: JWTPayload, latest: number): { caller: KnownCaller; until: number } {
  if (!Claims.Check(payload)) {
    throw new TokenRefusedError(
      'The token must have sub, exp, tier (basic, premium or admin) and permissions (a list).',
      true,
    );
  }
  const caller = { id: payload.sub, tier: payload.tier, permissions: payload.permissions ?? [] };
  return { caller: knowCaller(caller, payload.jti), until: Math.min(payload.exp * 1000, latest) };
}

/** Only what the caller can mend; a JWKS that cannot be fetched stays an error of ours. */
function asRefusal(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new TokenRefusedError('The token has expired.', true);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new TokenRefusedError(`The claim ${error.claim} of the token is not accepted.`, true);
  }
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return error;
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') {
    return new TokenRefusedError('The token is not valid.');
  }
  return error;
}
