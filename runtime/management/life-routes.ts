/** `GET /api/v1/modules?stream=true`: what modules go through, as it happens. */
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { type Context, Hono } from 'hono';
import { except } from 'hono/combine';
import { Type } from 'typebox';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, type InputRules, validateInput } from '../policy/validate.ts';
import type { LifeEvent, LifeEvents } from './life-events.ts';
import { limitOperators } from './operator-rate.ts';
import { lastSeen, type OpenStream } from './stream-routes.ts';

export interface LifeRouteParts {
  readonly authenticate: Authenticate;
  readonly life: LifeEvents;
  readonly openStream: OpenStream;
}

/** Per minute and operator. */
const OPENED = 60;

/** Below /api/v1/modules, before the list of modules, which is all else that is asked for there. */
export function lifeRoutes({ authenticate, life, openStream }: LifeRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(OPENED)] as const;

  routes.get('/', except(isForList, ...mayRead), (context, next) => {
    if (isForList(context)) return next();
    const { module } = readLifeQuery(context.req.url);
    const isWanted = (event: LifeEvent): boolean => module === undefined || event.module === module;
    const seen = lastSeen(context);
    return openStream(context, {
      listen: (listener) => life.listen(listener),
      missed: seen === undefined ? [] : life.since(seen).filter(isWanted),
      isWanted,
      view: (event) => ({ id: event.id, event: 'module', data: view(event) }),
    });
  });
  return routes;
}

function isForList({ req }: Context): boolean {
  return req.query('stream') !== 'true';
}

function view({ id, at, module, version, from, to, reasons, operator }: LifeEvent) {
  const change = { from: from ?? null, to, reasons, operator: operator ?? null };
  return { id, at: new Date(at).toISOString(), module, version, ...change };
}

const QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        { stream: Type.Boolean(), module: Type.Optional(Type.String({ pattern: MODULE_NAME_PATTERN })) },
        { additionalProperties: false },
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
function readLifeQuery(url: string): { readonly module: string | undefined } {
  const { module } = validateInput(QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined).query;
  return { module: typeof module === 'string' ? module : undefined };
}
