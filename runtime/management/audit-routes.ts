/** `/api/v1/audit`: who did what, newest first. */
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { Hono } from 'hono';
import { Type } from 'typebox';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, type InputRules, validateInput } from '../policy/validate.ts';
import type { AuditQuery, AuditRow } from '../state/audit-rows.ts';
import type { AuditTrail } from '../state/audit-trail.ts';
import { limitOperators } from './operator-rate.ts';
import { refuseMethod } from './refuse-method.ts';

export interface AuditRouteParts {
  readonly authenticate: Authenticate;
  readonly trail: Pick<AuditTrail, 'list'>;
}

/** Per minute and operator. */
const READS = 600;
export const MAX_ENTRIES = 200;
const DEFAULT_ENTRIES = 50;

export function auditRoutes({ authenticate, trail }: AuditRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;

  routes.get('/', ...mayRead, async (context) => {
    const query = readAuditQuery(context.req.url);
    const found = await trail.list(query);
    const next = found.length < query.limit ? null : (found.at(-1)?.id ?? null);
    return context.json({ entries: found.map(view), next });
  });

  routes.all('/', ...mayRead, () => refuseMethod('GET, HEAD'));
  return routes;
}

function view({ id, at, source, action, operator, module, outcome, details }: AuditRow) {
  const who = { source, operator: operator ?? null, module: module ?? null };
  return { id, at: new Date(at).toISOString(), action, ...who, outcome, details };
}

const QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        {
          module: Type.Optional(Type.String({ pattern: MODULE_NAME_PATTERN })),
          operator: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ENTRIES })),
          before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
        },
        { additionalProperties: false },
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
function readAuditQuery(url: string): AuditQuery {
  const query = validateInput(QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined).query;
  const { module, operator, before, limit = DEFAULT_ENTRIES } = query as Partial<AuditQuery>;
  // As it was written: no database takes half a surrogate pair or NUL.
  return { module, operator: operator?.replaceAll('\0', '\ufffd').toWellFormed(), before, limit };
}
