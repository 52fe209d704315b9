/** `/api/v1/modules/:name/logs`: the last lines of and about a module, and what it says from now on. */
import { LOG_LINE_LEVELS, type LogLevel } from '@plexichat/sdk/protocol/capabilities/log';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Hono } from 'hono';
import { Type } from 'typebox';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import { isAtLeast, type ModuleLine, type ModuleLogs } from '../observability/module-logs.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, type InputRules, validateInput } from '../policy/validate.ts';
import { readModuleName } from './module-input.ts';
import { limitOperators } from './operator-rate.ts';
import { refuseMethod } from './refuse-method.ts';
import { lastSeen, type OpenStream } from './stream-routes.ts';

export interface LogRouteParts {
  readonly authenticate: Authenticate;
  readonly logs: ModuleLogs;
  readonly hasModule: (name: string) => boolean;
  readonly openStream: OpenStream;
}

/** Per minute and operator. */
const READS = 600;
export const MAX_LINES = 1_000;
const DEFAULT_LINES = 100;

/** Below /api/v1/modules. */
export function logRoutes({ authenticate, logs, hasModule, openStream }: LogRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;

  routes.get('/:name/logs', ...mayRead, (context) => {
    const module = readModuleName(context.req.param('name'));
    const { level, limit, before, follow } = readLogQuery(context.req.url);
    if (!hasModule(module) && !logs.knows(module)) {
      throw new PlexiError('NOT_FOUND', `There is no module ${module}; GET /api/v1/modules lists those there are.`);
    }
    if (!follow) {
      const lines = logs.list(module, { level, before, limit });
      const next = lines.length < limit ? null : (lines.at(-1)?.id ?? null);
      return context.json({ lines: lines.map(view), next });
    }
    return openStream(context, {
      listen: (listener) => logs.listen(module, listener),
      missed: logs.list(module, { level, after: lastSeen(context), limit }).toReversed(),
      isWanted: (line: ModuleLine) => level === undefined || isAtLeast(line.level, level),
      view: (line) => ({ id: line.id, event: 'line', data: view(line) }),
    });
  });

  routes.all('/:name/logs', ...mayRead, () => refuseMethod('GET, HEAD'));
  return routes;
}

function view({ id, at, level, source, message, fields }: ModuleLine) {
  const words = { id, at: new Date(at).toISOString(), level, source, message };
  return fields === undefined ? words : { ...words, fields: JSON.parse(fields) as unknown };
}

const QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        {
          level: Type.Optional(Type.Enum([...LOG_LINE_LEVELS])),
          follow: Type.Optional(Type.Boolean()),
          limit: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_LINES })),
          before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
        },
        { additionalProperties: false },
      ),
    ),
  ),
};

interface LogQuery {
  readonly level?: LogLevel;
  readonly follow?: boolean;
  readonly limit?: number;
  readonly before?: number;
}

/** @throws PlexiError INVALID_INPUT */
function readLogQuery(url: string) {
  const found = validateInput(QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined).query as LogQuery;
  const { level, follow = false, limit = DEFAULT_LINES, before } = found;
  if (follow && before !== undefined) {
    const errors = [{ path: '/query/before', message: 'cannot be together with follow: what is followed has no end' }];
    throw new PlexiError('INVALID_INPUT', 'One value is not valid.', { errors });
  }
  return { level, follow, limit, before };
}
