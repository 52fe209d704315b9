/** `/console/login` and `/console/logout`: from a credential or a one-time code to a session cookie, and back. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Context, Hono } from 'hono';
import { decodeJwt } from 'jose';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { GatewayEnv } from '../gateway/env.ts';
import { FetchInbound } from '../gateway/fetch-inbound.ts';
import { BODY_TIMES, NodeInbound } from '../gateway/node-inbound.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { assertNotEncoded } from '../policy/body-limit.ts';
import type { From } from '../policy/failed-logins.ts';
import { decodeText, parseJson } from '../policy/json-body.ts';
import { createRateLimit } from '../policy/rate-limit.ts';
import type { LoginCodes } from './login-codes.ts';
import { loginPage, logoutPage, signedInPage } from './login-pages.ts';
import { asOperator } from './operator-of.ts';
import { placeOf } from './request-place.ts';
import type { Operator, Sessions, StartedSession } from './session.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface LoginParts {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
  readonly codes: LoginCodes;
  readonly trustedProxies: number;
  readonly loginsPerMinute: number;
  readonly now: () => number;
  /** Nobody is signed in when it rejects. */
  readonly onLogin: (operator: Operator, address: string) => unknown;
  readonly onBadLink: (address: string) => void;
}

const MAX_ADDRESSES = 10_000;
const MAX_BODY_BYTES = 16 * 1024;
const Body = Compile(
  Type.Object({ credential: Type.String({ minLength: 1, maxLength: 8192 }) }, { additionalProperties: false }),
);

export function loginRoutes(parts: LoginParts): Hono<GatewayEnv> {
  const { sessions, cookie, codes, now } = parts;
  const limitRate = createRateLimit({ now, maxCounters: MAX_ADDRESSES });
  const addressOf = (context: Context<GatewayEnv>) => placeOf(context, parts.trustedProxies).address;

  /** Boundary: by address. @param what links and keys apart, so that neither keeps the other out @throws PlexiError RATE_LIMITED */
  const count = (context: Context<GatewayEnv>, what: 'console-link' | 'console-login'): void => {
    limitRate(null, addressOf(context), [{ name: 'login', key: what, limit: parts.loginsPerMinute }]);
  };

  const signIn = async (context: Context<GatewayEnv>, operator: Operator, endsAt?: number): Promise<StartedSession> => {
    await parts.onLogin(operator, addressOf(context));
    const session = await sessions.start(operator, endsAt);
    cookie.write(context, session.token, session.seconds);
    return session;
  };

  const routes = new Hono<GatewayEnv>();
  routes.get('/login', async (context) => {
    const code = context.req.query('code');
    if (code === undefined) return loginPage(context, 200, '');
    assertOpened(context);
    // A code is too long to be guessed. A right one is not counted: whoever guesses would lock its operator out.
    const operator = codes.redeem(code);
    if (operator === undefined) {
      count(context, 'console-link');
      parts.onBadLink(addressOf(context));
      return loginPage(context, 403, 'This link was used before, or is too old.');
    }
    return signedInPage(context, await signIn(context, operator));
  });
  routes.post('/login', async (context) => {
    // Right ones too: keys are as long as operators make them.
    count(context, 'console-login');
    const credential = await readCredential(context);
    const { operator, endsAt } = await identify(credential, parts.authenticate, { address: context.get('address') });
    const { pageKey } = await signIn(context, operator, endsAt);
    return context.json({ location: '/console/queues', pageKey }, 200, { 'cache-control': 'no-store' });
  });
  routes.get('/logout', logoutPage);
  routes.post('/logout', async (context) => {
    const token = cookie.read(context);
    if (token !== undefined) await sessions.end(token);
    cookie.remove(context);
    return context.body(null, 204, { 'cache-control': 'no-store' });
  });
  return routes;
}

/**
 * Boundary: a link is opened by a person. A browser that looks ahead would use the code up before its operator is there;
 * a picture on a page of another site would use up the guesses of whoever looks at it. @throws PlexiError FORBIDDEN
 */
function assertOpened({ req }: Context<GatewayEnv>): void {
  // Without the first, what the others say is a program's.
  const [destination, mode] = [req.header('sec-fetch-dest'), req.header('sec-fetch-mode')];
  const isOpened = destination === undefined || (destination === 'document' && (mode ?? 'navigate') === 'navigate');
  if (req.method !== 'HEAD' && req.header('sec-purpose') === undefined && isOpened) return;
  throw new PlexiError(
    'FORBIDDEN',
    'A login link is opened in a browser, not loaded by a page or looked at beforehand.',
  );
}

/** @throws PlexiError MALFORMED_BODY, INVALID_INPUT, PAYLOAD_TOO_LARGE */
async function readCredential(context: Context<GatewayEnv>): Promise<string> {
  const { incoming, outgoing } = context.env ?? {};
  const inbound =
    incoming === undefined || outgoing === undefined
      ? new FetchInbound(context.req.raw, 0)
      : new NodeInbound(incoming, outgoing, context.req.raw, { trustedProxies: 0, times: BODY_TIMES });
  assertNotEncoded(context.req.header('content-encoding'));
  const body = parseJson(decodeText(await inbound.readBody(MAX_BODY_BYTES)));
  if (Body.Check(body)) return body.credential;
  throw new PlexiError(
    'INVALID_INPUT',
    'The body must be { "credential": "an API key or a token" }, and nothing else.',
  );
}

const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** No session outlives the token that it was made with. @throws PlexiError UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN */
async function identify(
  credential: string,
  authenticate: Authenticate,
  from: From,
): Promise<{ operator: Operator; endsAt: number | undefined }> {
  const isToken = JWT.test(credential);
  const known = await (isToken
    ? authenticate(`Bearer ${credential}`, undefined, from)
    : authenticate(undefined, credential, from));
  if (known === null) throw new PlexiError('UNAUTHENTICATED', 'Send an API key or a token.');
  // Verified above; here it is only read.
  const { exp } = isToken ? decodeJwt(credential) : {};
  return { operator: asOperator(known), endsAt: exp === undefined ? undefined : exp * 1000 };
}
