/** What operators send to the routes of tokens. All of it is checked here. */
import { TIERS } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Type } from 'typebox';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import type { TokenPage } from '../policy/token-book.ts';
import type { NewToken } from '../policy/token-rules.ts';
import { compileRecord, compileValue, type InputRules, validateInput } from '../policy/validate.ts';
import type { TokenKind } from '../state/token-store.ts';

const CLOSED = { additionalProperties: false };
const DAY_S = 86_400;
/** Seconds. */
export const MAX_LIFETIME: Readonly<Record<TokenKind, number>> = { token: 365 * DAY_S, api_key: 3650 * DAY_S };
export const DEFAULT_LIFETIME: Readonly<Record<TokenKind, number>> = { token: DAY_S / 2, api_key: 90 * DAY_S };
export const MAX_TOKENS = 500;
const DEFAULT_TOKENS = 100;
const MAX_PERMISSIONS = 64;
/** One line, in logs and tables too. */
const oneLine = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\x00-\\x1f\\x7f]*$' });

const BODY: InputRules = {
  body: compileValue(
    readSchema(
      Type.Object(
        {
          name: oneLine(100),
          kind: Type.Optional(Type.Enum(['token', 'api_key'])),
          sub: Type.Optional(oneLine(256)),
          tier: Type.Optional(Type.Enum([...TIERS])),
          permissions: Type.Array(oneLine(100), { maxItems: MAX_PERMISSIONS }),
          lifetime: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIFETIME.api_key })),
        },
        CLOSED,
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readTokenBody(body: unknown): Omit<NewToken, 'id'> {
  validateInput(BODY, {}, {}, body);
  const asked = body as Partial<NewToken> & Pick<NewToken, 'name' | 'permissions'>;
  const { kind = 'token', tier = 'basic', permissions, lifetime = DEFAULT_LIFETIME[kind] } = asked;
  if (lifetime > MAX_LIFETIME[kind]) {
    const message = `must be at most ${MAX_LIFETIME[kind]} (seconds) for a ${kind}`;
    throw new PlexiError('INVALID_INPUT', 'One value is not valid.', { errors: [{ path: '/body/lifetime', message }] });
  }
  // Half a surrogate pair is no text that a database takes, or a token says.
  const sub = asked.sub?.toWellFormed();
  return { kind, name: asked.name.toWellFormed(), sub, tier, permissions, lifetime };
}

const LIST_QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        {
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_TOKENS })),
          before: Type.Optional(Type.String({ pattern: '^[0-9]{16}\\.[a-z]{3}_[0-9a-f-]{36}$' })),
        },
        CLOSED,
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readTokensQuery(url: string): TokenPage {
  const query = validateInput(LIST_QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined).query;
  const { limit = DEFAULT_TOKENS, before } = query as Partial<TokenPage>;
  return { limit, before };
}

export const TOKEN_ID = /^(?:tok|key)_[0-9a-f-]{36}$/;

/** Boundary: only what could be an id goes on. @throws PlexiError NOT_FOUND */
export function readTokenId(id = ''): string {
  if (TOKEN_ID.test(id)) return id;
  // Not repeated: it may be the key itself, by mistake.
  throw new PlexiError('NOT_FOUND', 'This can be no id of a token; GET /api/v1/tokens lists those there are.');
}
