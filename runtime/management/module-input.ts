/** What operators send to the routes of modules, secrets and security events. All of it is checked here. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { Type } from 'typebox';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, compileValue, type InputRules, validateInput } from '../policy/validate.ts';

const MODULE_NAME = new RegExp(MODULE_NAME_PATTERN);
const CLOSED = { additionalProperties: false };
export const MAX_EVENTS = 200;
const DEFAULT_EVENTS = 50;

export function isModuleName(name: string): boolean {
  return MODULE_NAME.test(name);
}

/** Boundary: only what could be a name goes on. @throws PlexiError NOT_FOUND */
export function readModuleName(name = ''): string {
  if (isModuleName(name)) return name;
  const shown = JSON.stringify(name.length > 70 ? `${name.slice(0, 70)}…` : name);
  throw new PlexiError('NOT_FOUND', `No module can be called ${shown}; GET /api/v1/modules lists those there are.`);
}

/** As many as a manifest can ask for. */
const MAX_PERMISSIONS = 128;
const PermissionsSchema = Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
  minItems: 1,
  maxItems: MAX_PERMISSIONS,
});

const GRANT_BODY: InputRules = {
  body: compileValue(
    readSchema(
      Type.Object({ permissions: Type.Optional(PermissionsSchema), revoke: Type.Optional(PermissionsSchema) }, CLOSED),
    ),
  ),
};

export interface GrantBody {
  readonly permissions: readonly string[];
  readonly revoke: readonly string[];
}

/** @throws PlexiError INVALID_INPUT */
export function readGrantBody(body: unknown): GrantBody {
  validateInput(GRANT_BODY, {}, {}, body);
  const { permissions = [], revoke = [] } = body as Partial<GrantBody>;
  if (permissions.length > 0 === revoke.length > 0) {
    const message = 'must have either permissions (to grant) or revoke (to take back)';
    throw new PlexiError('INVALID_INPUT', 'One value is not valid.', { errors: [{ path: '/body', message }] });
  }
  return { permissions, revoke };
}

const SECRET_BODY: InputRules = { body: compileValue(readSchema(Type.Object({ value: Type.Unknown() }, CLOSED))) };

/** @throws PlexiError INVALID_INPUT */
export function readSecretBody(body: unknown): unknown {
  validateInput(SECRET_BODY, {}, {}, body);
  return (body as { value: unknown }).value;
}

const EVENTS_QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        {
          module: Type.Optional(Type.String({ pattern: MODULE_NAME_PATTERN })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_EVENTS })),
          before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
        },
        CLOSED,
      ),
    ),
  ),
};

export interface EventsQuery {
  readonly module: string | undefined;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly before: number | undefined;
}

/** @throws PlexiError INVALID_INPUT */
export function readEventsQuery(url: string): EventsQuery {
  const query = validateInput(EVENTS_QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined).query;
  const { module, limit = DEFAULT_EVENTS, before } = query as Partial<EventsQuery>;
  return { module, limit, before };
}
