/** Pages for operators, below /console. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { createLoginCodes } from './login-codes.ts';
import { consoleAssets } from './login-pages.ts';
import { loginRoutes } from './login-routes.ts';
import { type ConsoleEnv, type DoorKeys, operatorOf, pickOperator } from './operator-of.ts';
import { ownNameOnly } from './own-name.ts';
import { type BeginAction, type BoardAction, queueRoutes } from './queue-routes.ts';
import { sameOriginOnly } from './same-origin.ts';
import { createSessions, type Operator } from './session.ts';
import { createSessionCookie } from './session-cookie.ts';

export interface ConsoleOptions {
  readonly desk: Pick<TaskDesk, 'queues' | 'onQueues'>;
  /** How many of the operator's own proxies stand in front; their X-Forwarded-* is believed. */
  readonly trustedProxies?: number;
  /** It can be reached from its own machine only, and by no proxy: then it goes by no other name than localhost. */
  readonly isLocalOnly?: boolean;
  /** By address; right ones count too. */
  readonly loginsPerMinute?: number;
  /** Asked at every request: has the credential that a session began with been withdrawn? */
  readonly isRevoked?: ((credentialId: string) => boolean) | undefined;
  /** Nobody is signed in when it rejects. */
  readonly onLogin?: (operator: Operator, address: string) => unknown;
  /** Somebody came with a login link that is unknown, used or too old. */
  readonly onBadLink?: (address: string) => void;
  /** Something was changed through the board, or refused. */
  readonly onAction?: (operator: Operator, action: BoardAction) => void;
  readonly begin?: BeginAction;
  readonly onError?: (error: unknown, requestId: string) => void;
  readonly now?: () => number;
}

export interface Console {
  /** For the gateway's `mount`. */
  mount(platform: Hono<GatewayEnv>, tools: GatewayTools): void;
  /** The path that signs in once, within ten minutes. @throws Error when the permissions do not open the console */
  issueLogin(sub: string, permissions: readonly string[]): string;
}

const LOGINS_PER_MINUTE = 10;

export function createConsole(options: ConsoleOptions): Console {
  const { desk, trustedProxies = 0, loginsPerMinute = LOGINS_PER_MINUTE, now = Date.now } = options;
  const sessions = createSessions({ now, isRevoked: options.isRevoked });
  const codes = createLoginCodes(now);
  const cookie = createSessionCookie(trustedProxies);

  return {
    mount(platform, { authenticate }) {
      if (options.isLocalOnly === true) platform.use('/console/*', ownNameOnly);
      platform.use('/console/*', sameOriginOnly(trustedProxies));
      platform.route('/console/assets', consoleAssets());
      const onLogin = options.onLogin ?? (() => {});
      const onBadLink = options.onBadLink ?? (() => {});
      const login = { authenticate, sessions, cookie, codes, trustedProxies, loginsPerMinute, now, onLogin, onBadLink };
      platform.route('/console', loginRoutes(login));
      platform.get('/console', (context) => context.redirect('/console/queues'));

      const parts = { desk, door: operatorsDoor({ authenticate, sessions, cookie }) };
      const onAction = options.onAction ?? (() => {});
      const begin = options.begin ?? (async () => () => {});
      const onError = options.onError ?? (() => {});
      platform.route('/', queueRoutes({ ...parts, onAction, begin, onError }));
    },
    issueLogin(sub, permissions) {
      const operator = pickOperator(sub, permissions, undefined);
      if (operator === undefined) throw new Error('A login needs the permission modules:read or modules:manage.');
      return `/console/login?code=${codes.issue(operator)}`;
    },
  };
}

/** Boundary: behind this line there are operators only. */
function operatorsDoor(keys: DoorKeys) {
  return createMiddleware<ConsoleEnv>(async (context, next) => {
    const entry = await operatorOf(context, keys);
    if (entry === undefined) return refuseNobody(context);
    context.set('operator', entry.operator);
    context.set('isProven', entry.isProven);
    return next();
  });
}

/** A person is shown where to sign in; a program is told. @throws PlexiError UNAUTHENTICATED */
function refuseNobody(context: Context<ConsoleEnv>): Response {
  const { method, path } = context.req;
  const isPage =
    method === 'GET' && !path.startsWith('/console/queues/api/') && !path.startsWith('/console/queues/static/');
  if (isPage && context.req.header('accept')?.includes('text/html') === true)
    return context.redirect('/console/login', 303);
  throw new PlexiError('UNAUTHENTICATED', 'Sign in at /console/login, or send a bearer token or an API key.', {
    headers: { 'www-authenticate': 'Bearer realm="plexi"' },
  });
}
