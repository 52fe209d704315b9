/** Who is signed in to the console: a signed token in a cookie, and a key that only the console's own pages have. */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const OperatorSchema = Type.Object({
  sub: Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$' }),
  permissions: Type.Array(Type.Union([Type.Literal('modules:read'), Type.Literal('modules:manage')]), {
    minItems: 1,
    maxItems: 2,
  }),
  /** Of what they signed in with, where that can be withdrawn. */
  credential: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
});

/** Of all that a caller may do, what counts in the console. */
export type Operator = Static<typeof OperatorSchema>;

export interface Sessions {
  /** @param endsAt epoch milliseconds; no session lasts longer than 12 hours */
  start(operator: Operator, endsAt?: number): Promise<StartedSession>;
  /** undefined for whatever is not a session of this host that goes on. */
  read(token: string): Promise<Operator | undefined>;
  isPageKey(token: string, presented: string): boolean;
  end(token: string): Promise<void>;
}

export interface StartedSession {
  readonly token: string;
  readonly seconds: number;
  /** Belongs to this token alone. */
  readonly pageKey: string;
}

export interface SessionOptions {
  readonly now?: (() => number) | undefined;
  readonly isRevoked?: ((credentialId: string) => boolean) | undefined;
}

const LIFETIME_MS = 12 * 3_600_000;
const AUDIENCE = 'plexi:console';
const TYPE = 'plexi-session+jwt';
const MAX_LENGTH = 2048;
const MAX_ENDED = 10_000;

const Claims = Compile(Type.Object({ operator: OperatorSchema, jti: Type.String(), exp: Type.Number() }));

/**
 * Boundary: the key is not the one of API tokens, and neither are audience and type, so neither stands in for the other.
 * It is made anew at each start: what was signed out or withdrawn does not come back with the host.
 */
export function createSessions({ now = Date.now, isRevoked }: SessionOptions = {}): Sessions {
  const key = randomBytes(32);
  const pageSecret = randomBytes(32);
  const pageKeyOf = (token: string): string => createHmac('sha256', pageSecret).update(token).digest('base64url');
  const ended = new LRUCache<string, true>({ max: MAX_ENDED });

  const verify = async (token: string) => {
    if (token.length > MAX_LENGTH) return undefined;
    try {
      const { payload } = await jwtVerify<unknown>(token, key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['exp', 'jti'],
        currentDate: new Date(now()),
      });
      return Claims.Check(payload) ? payload : undefined;
    } catch {
      return undefined;
    }
  };

  return {
    async start(operator, endsAt = Number.POSITIVE_INFINITY) {
      const seconds = Math.max(0, Math.floor(Math.min(LIFETIME_MS, endsAt - now()) / 1000));
      const issuedAt = Math.floor(now() / 1000);
      const token = await new SignJWT({ operator })
        .setProtectedHeader({ alg: 'HS256', typ: TYPE })
        .setAudience(AUDIENCE)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + seconds)
        .sign(key);
      return { token, seconds, pageKey: pageKeyOf(token) };
    },
    async read(token) {
      const claims = await verify(token);
      if (claims === undefined || ended.has(claims.jti)) return undefined;
      const { operator } = claims;
      if (operator.credential !== undefined && isRevoked?.(operator.credential) === true) return undefined;
      return operator;
    },
    isPageKey(token, presented) {
      const [expected, found] = [Buffer.from(pageKeyOf(token)), Buffer.from(presented)];
      return expected.length === found.length && timingSafeEqual(expected, found);
    },
    async end(token) {
      const claims = await verify(token);
      if (claims !== undefined) ended.set(claims.jti, true);
    },
  };
}
