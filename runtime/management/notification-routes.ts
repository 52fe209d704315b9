/** `/api/v1/notifications`: what modules told the user who asks, and nobody else. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { Type } from 'typebox';
import type { GatewayEnv } from '../gateway/env.ts';
import type { NotificationRoom } from '../notifications/notification-room.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { authorize } from '../policy/authorize.ts';
import type { KnownCaller } from '../policy/caller.ts';
import { parseQuery } from '../policy/query.ts';
import { createRateLimit, ratePolicy } from '../policy/rate-limit.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, type InputRules, validateInput } from '../policy/validate.ts';
import { notificationStream } from './notification-stream.ts';
import { refuseQuery } from './task-input.ts';

export interface NotificationRouteParts {
  readonly authenticate: Authenticate;
  readonly notifications: Pick<NotificationRoom, 'list' | 'since' | 'markRead' | 'listen'>;
}

interface CallerEnv {
  Bindings: GatewayEnv['Bindings'];
  Variables: GatewayEnv['Variables'] & { known: KnownCaller };
}

/** Per minute and user. */
const REQUESTS = 300;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
const ID = /^[1-9][0-9]{0,15}$/;

export function notificationRoutes({ authenticate, notifications }: NotificationRouteParts): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  const own = [callersOnly(authenticate), limitCallers()] as const;

  routes.get('/', ...own, async (context) => {
    const { stream, ...query } = readQuery(context.req.url);
    const user = context.get('known').caller.id;
    if (!stream) return context.json(await notifications.list(user, query));
    // HEAD comes here too, and nobody would ever read, or end, what it opens.
    if (context.req.raw.method !== 'GET') return context.body(null, 200, STREAM_HEADERS);
    return openStream(context, user);
  });

  routes.post('/:id/read', ...own, async (context) => {
    refuseQuery(context.req.url);
    const id = context.req.param('id');
    if (!ID.test(id)) throw new PlexiError('NOT_FOUND', 'You have no notification with this id.');
    return context.json(await notifications.markRead(context.get('known').caller.id, Number(id)));
  });

  for (const [path, allow] of [
    ['/', 'GET, HEAD'],
    ['/:id/read', 'POST'],
  ] as const) {
    routes.all(path, ...own, () => {
      throw new PlexiError('METHOD_NOT_ALLOWED', `Only ${allow} is allowed here.`, { headers: { allow } });
    });
  }
  return routes;

  function openStream(context: Context<CallerEnv>, user: string): Response {
    const lastSeen = context.req.header('last-event-id');
    const credentials = [context.req.header('authorization'), context.req.header('x-api-key')] as const;
    const body = notificationStream({
      listen: (listener) => notifications.listen(user, listener),
      missed: async () =>
        lastSeen !== undefined && ID.test(lastSeen) ? notifications.since(user, Number(lastSeen)) : [],
      // Boundary: a token may expire, or be withdrawn, while its stream is open.
      recheck: () => authenticate(...credentials),
    });
    return context.body(body, 200, STREAM_HEADERS);
  }
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies such as nginx would keep it back until it is long enough.
  'x-accel-buffering': 'no',
};

const ANYBODY_KNOWN = {
  anonymous: false,
  tiers: new Set(['basic', 'premium', 'admin'] as const),
  permissions: [],
  refusedTier: '',
};

/** Boundary: whoever says who they are, whatever the tier; the handlers behind find who it is as `known`. */
function callersOnly(authenticate: Authenticate) {
  return createMiddleware<CallerEnv>(async (context, next) => {
    const from = { address: context.get('address') };
    const known = await authenticate(context.req.header('authorization'), context.req.header('x-api-key'), from);
    authorize(ANYBODY_KNOWN, known);
    // Nobody does not get past the line above.
    context.set('known', known as KnownCaller);
    context.header('cache-control', 'no-store');
    await next();
  });
}

function limitCallers() {
  const limitRate = createRateLimit();
  const rules = [{ name: 'notifications', key: 'notifications', limit: REQUESTS }];
  const policy = ratePolicy(rules);
  return createMiddleware<CallerEnv>(async (context, next) => {
    const left = limitRate(context.get('known'), '', rules);
    await next();
    context.res.headers.set('ratelimit', left);
    context.res.headers.set('ratelimit-policy', policy);
  });
}

const QUERY: InputRules = {
  query: compileRecord(
    readSchema(
      Type.Object(
        {
          unread: Type.Optional(Type.Boolean()),
          stream: Type.Optional(Type.Boolean()),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
          before: Type.Optional(Type.String({ pattern: ID.source })),
        },
        { additionalProperties: false },
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
function readQuery(url: string) {
  const { query } = validateInput(QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined);
  const { unread, stream, limit, before } = query as {
    readonly unread?: boolean;
    readonly stream?: boolean;
    readonly limit?: number;
    readonly before?: string;
  };
  return {
    unreadOnly: unread === true,
    stream: stream === true,
    limit: limit ?? DEFAULT_LIMIT,
    before: before === undefined ? undefined : Number(before),
  };
}
