/** `/console/login` and `/console/logout`: from a credential or a one-time code to a session cookie, and back. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { decodeJwt } from 'jose';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { GatewayEnv } from '../gateway/env.ts';
import { FetchInbound } from '../gateway/fetch-inbound.ts';
import { BODY_TIMES, NodeInbound } from '../gateway/node-inbound.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { decodeText, parseJson } from '../policy/json-body.ts';
import { createRateLimit } from '../policy/rate-limit.ts';
import type { LoginCodes } from './login-codes.ts';
import { loginPage, logoutPage, signedInPage } from './login-pages.ts';
import { asOperator, SESSION_COOKIE } from './operator-of.ts';
import { placeOf } from './request-place.ts';
import type { Operator, Sessions } from './session.ts';

export interface LoginParts {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly codes: LoginCodes;
  readonly trustedProxies: number;
  readonly loginsPerMinute: number;
  readonly now: () => number;
  readonly onLogin: (operator: Operator, address: string) => void;
}

const COOKIE = { path: '/console', httpOnly: true, sameSite: 'Strict' } as const;
const MAX_ADDRESSES = 10_000;
const MAX_BODY_BYTES = 16 * 1024;
const Body = Compile(
  Type.Object({ credential: Type.String({ minLength: 1, maxLength: 8192 }) }, { additionalProperties: false }),
);

export function loginRoutes(parts: LoginParts): Hono<GatewayEnv> {
  const { sessions, codes, trustedProxies, now } = parts;
  const limitRate = createRateLimit({ now, maxCounters: MAX_ADDRESSES });
  const rules = [{ name: 'login', key: 'console-login', limit: parts.loginsPerMinute }];

  /** Boundary: guesses are counted by address, right ones too. @throws PlexiError RATE_LIMITED */
  const countAttempt = (context: Context<GatewayEnv>): void => {
    limitRate(null, placeOf(context, trustedProxies).address, rules);
  };

  const signIn = async (context: Context<GatewayEnv>, operator: Operator, endsAt?: number): Promise<void> => {
    const { token, seconds } = await sessions.start(operator, endsAt);
    const { isSecure, address } = placeOf(context, trustedProxies);
    setCookie(context, SESSION_COOKIE, token, { ...COOKIE, secure: isSecure, maxAge: seconds });
    parts.onLogin(operator, address);
  };

  const routes = new Hono<GatewayEnv>();
  routes.get('/login', async (context) => {
    const code = context.req.query('code');
    if (code === undefined) return loginPage(context, 200, '');
    // A browser that looks ahead would use the code up before its operator is there.
    if (context.req.method === 'HEAD' || context.req.header('sec-purpose') !== undefined) {
      throw new PlexiError('FORBIDDEN', 'A login link is opened, not looked at beforehand.');
    }
    countAttempt(context);
    const operator = codes.redeem(code);
    if (operator === undefined) return loginPage(context, 403, 'This link was used before, or is too old.');
    await signIn(context, operator);
    return signedInPage(context);
  });
  routes.post('/login', async (context) => {
    countAttempt(context);
    const credential = await readCredential(context);
    const { operator, endsAt } = await identify(credential, parts.authenticate);
    await signIn(context, operator, endsAt);
    return context.json({ location: '/console/queues' }, 200, { 'cache-control': 'no-store' });
  });
  routes.get('/logout', logoutPage);
  routes.post('/logout', async (context) => {
    const token = getCookie(context, SESSION_COOKIE);
    if (token !== undefined) await sessions.end(token);
    deleteCookie(context, SESSION_COOKIE, { ...COOKIE, secure: placeOf(context, trustedProxies).isSecure });
    return context.body(null, 204, { 'cache-control': 'no-store' });
  });
  return routes;
}

/** @throws PlexiError MALFORMED_BODY, INVALID_INPUT, PAYLOAD_TOO_LARGE */
async function readCredential(context: Context<GatewayEnv>): Promise<string> {
  const { incoming, outgoing } = context.env ?? {};
  const inbound =
    incoming === undefined || outgoing === undefined
      ? new FetchInbound(context.req.raw, 0)
      : new NodeInbound(incoming, outgoing, context.req.raw, { trustedProxies: 0, times: BODY_TIMES });
  const body = parseJson(decodeText(await inbound.readBody(MAX_BODY_BYTES)));
  if (Body.Check(body)) return body.credential;
  throw new PlexiError(
    'INVALID_INPUT',
    'The body must be { "credential": "an API key or a token" }, and nothing else.',
  );
}

const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** No session outlives the token that it was made with. @throws PlexiError UNAUTHENTICATED, FORBIDDEN */
async function identify(
  credential: string,
  authenticate: Authenticate,
): Promise<{ operator: Operator; endsAt: number | undefined }> {
  const isToken = JWT.test(credential);
  const known = await (isToken ? authenticate(`Bearer ${credential}`, undefined) : authenticate(undefined, credential));
  if (known === null) throw new PlexiError('UNAUTHENTICATED', 'Send an API key or a token.');
  // Verified above; here it is only read.
  const { exp } = isToken ? decodeJwt(credential) : {};
  return { operator: asOperator(known), endsAt: exp === undefined ? undefined : exp * 1000 };
}
