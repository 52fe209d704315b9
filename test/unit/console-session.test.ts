import { Hono } from 'hono';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { assertAllowedAction } from '../../runtime/console/board-actions.ts';
import { showData, showResult } from '../../runtime/console/board-format.ts';
import { readAssets } from '../../runtime/console/board-page.ts';
import { createLoginCodes } from '../../runtime/console/login-codes.ts';
import { placeOf, type RequestPlace } from '../../runtime/console/request-place.ts';
import { createSessions, type Operator } from '../../runtime/console/session.ts';
import type { GatewayEnv } from '../../runtime/gateway/env.ts';

const ANN: Operator = { sub: 'ann', permissions: ['modules:read', 'modules:manage'], credential: 'key-1' };
const HOUR = 3_600_000;

describe('a session', () => {
  it('says who is signed in', async () => {
    const sessions = createSessions();
    const { token, seconds } = await sessions.start(ANN);
    expect(seconds).toBe(12 * 3600);
    expect(await sessions.read(token)).toEqual(ANN);
  });

  it('ends after twelve hours', async () => {
    let now = Date.now();
    const sessions = createSessions({ now: () => now });
    const { token } = await sessions.start(ANN);
    now += 12 * HOUR - 2000;
    expect(await sessions.read(token)).toEqual(ANN);
    now += 3000;
    expect(await sessions.read(token)).toBeUndefined();
  });

  it('does not outlive the token that it was made with', async () => {
    let now = Date.now();
    const sessions = createSessions({ now: () => now });
    const { token, seconds } = await sessions.start(ANN, now + 60_000);
    expect(seconds).toBe(60);
    now += 61_000;
    expect(await sessions.read(token)).toBeUndefined();
    expect((await sessions.start(ANN, now - 1000)).seconds).toBe(0);
  });

  it('is over when its operator signs out, and no other one with it', async () => {
    const sessions = createSessions();
    const [one, other] = [await sessions.start(ANN), await sessions.start(ANN)];
    await sessions.end(one.token);
    expect(await sessions.read(one.token)).toBeUndefined();
    expect(await sessions.read(other.token)).toEqual(ANN);
  });

  it('is over when the credential that it began with is withdrawn', async () => {
    const revoked = new Set<string>();
    const sessions = createSessions({ isRevoked: (id) => revoked.has(id) });
    const { token } = await sessions.start(ANN);
    revoked.add('key-1');
    expect(await sessions.read(token)).toBeUndefined();
  });

  it('of another start of the host is none', async () => {
    const { token } = await createSessions().start(ANN);
    expect(await createSessions().read(token)).toBeUndefined();
  });

  it('has nothing that an API token has', async () => {
    const { token } = await createSessions().start(ANN);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'plexi-session+jwt' });
    const claims = decodeJwt(token);
    expect(claims.aud).toBe('plexi:console');
    expect(claims).not.toHaveProperty('tier');
    expect(claims).not.toHaveProperty('permissions');
    expect(claims).not.toHaveProperty('sub');
  });
});

describe('a login code', () => {
  it('is good once', () => {
    const codes = createLoginCodes();
    const code = codes.issue(ANN);
    expect(code).toMatch(/^[\w-]{43}$/);
    expect(codes.redeem(code)).toEqual(ANN);
    expect(codes.redeem(code)).toBeUndefined();
  });

  it('is good for ten minutes', () => {
    let now = 0;
    const codes = createLoginCodes(() => now);
    const [one, other] = [codes.issue(ANN), codes.issue(ANN)];
    now = 10 * 60_000 - 1;
    expect(codes.redeem(one)).toEqual(ANN);
    now += 1;
    expect(codes.redeem(other)).toBeUndefined();
  });

  it.each(['', 'short', 'x'.repeat(43), 'x'.repeat(100_000), '../../etc', '\u0000'.repeat(43)])(
    'is not %j',
    (guess) => {
      const codes = createLoginCodes();
      codes.issue(ANN);
      expect(codes.redeem(guess)).toBeUndefined();
    },
  );

  it('makes room for the next when very many are open', () => {
    const codes = createLoginCodes();
    const issued = Array.from({ length: 150 }, () => codes.issue(ANN));
    expect(issued.filter((code) => codes.redeem(code) !== undefined)).toHaveLength(100);
  });
});

describe('where a request came in', () => {
  async function place(url: string, headers: Record<string, string>, trustedProxies: number): Promise<RequestPlace> {
    const app = new Hono<GatewayEnv>();
    app.get('*', (context) => {
      const found = placeOf(context, trustedProxies);
      return context.json({ ...found, origin: found.origin ?? '' });
    });
    const found = (await (await app.request(url, { headers })).json()) as RequestPlace;
    return found;
  }
  const FORWARDED = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'plexi.example', 'x-forwarded-for': '9.9.9.9' };

  it('is what the Host header says', async () => {
    expect(await place('http://localhost:8080/', {}, 0)).toEqual({
      origin: 'http://localhost:8080',
      isSecure: false,
      address: '127.0.0.1',
    });
  });

  it('is what the trusted proxy says', async () => {
    expect(await place('http://localhost:8080/', FORWARDED, 1)).toEqual({
      origin: 'https://plexi.example',
      isSecure: true,
      address: '9.9.9.9',
    });
  });

  it('is not what a client says that nobody trusts', async () => {
    expect(await place('http://localhost:8080/', FORWARDED, 0)).toEqual({
      origin: 'http://localhost:8080',
      isSecure: false,
      address: '127.0.0.1',
    });
  });

  it('is what the proxy wrote, and not what a client wrote in front of it', async () => {
    const headers = { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'evil.example, plexi.example' };
    expect(await place('http://localhost/', headers, 1)).toMatchObject({
      origin: 'http://plexi.example',
      isSecure: false,
    });
  });

  it.each(['evil.example/path', 'user@evil.example', 'a b', '', 'evil.example:99999', '[::1'])(
    'is nowhere for the host %j',
    async (host) => {
      expect(await place('http://localhost/', { 'x-forwarded-host': host }, 1)).toMatchObject({ origin: '' });
    },
  );
});

describe('the board', () => {
  it.each([
    ['PUT', '/queues/pause'],
    ['PUT', '/queues/weather/resume'],
    ['PUT', '/queues/weather/retry/failed'],
    ['PUT', '/queues/weather/clean/completed'],
    ['PUT', '/queues/weather/42/retry'],
    ['PUT', '/queues/weather.digest/repeat:digest:1700000000000/promote'],
    ['PATCH', '/queues/weather/42/delay'],
  ])('may %s %s', (method, path) => {
    expect(() => assertAllowedAction(method, path)).not.toThrow();
  });

  it.each([
    ['POST', '/queues/weather/add'],
    ['PATCH', '/queues/weather/42/update-data'],
    ['PUT', '/queues/weather/obliterate'],
    ['PUT', '/queues/weather/concurrency'],
    ['PUT', '/queues/weather/rate-limit'],
    ['PUT', '/queues/weather/clean/active'],
    ['PUT', '/queues/weather/job-schedulers/digest/remove'],
    ['PUT', '/queues/weather/job-schedulers/digest/run'],
    ['PATCH', '/queues/weather/job-schedulers/digest'],
    ['PUT', '/queues/weather/42/remove-unprocessed-children'],
    ['DELETE', '/queues/weather/pause'],
    ['PUT', '/queues/weather/pause/'],
    ['PUT', '/queues/weather/../digest/obliterate'],
    ['PUT', '/metrics/history/purge'],
  ])('may not %s %s', (method, path) => {
    expect(() => assertAllowedAction(method, path)).toThrow(/plexi tasks/);
  });

  it('shows the JSON that a job carries as text', () => {
    expect(showData({ data: '{"city":"Oslo"}', origin: 'module' })).toEqual({
      data: { city: 'Oslo' },
      origin: 'module',
    });
    expect(showResult({ result: '[1]' })).toEqual({ result: [1] });
  });

  it.each([null, 'text', 5, [], {}, { data: 5 }, { data: '{' }, { data: `"${'x'.repeat(200_000)}"` }])(
    'shows what is no such text as it is (%#)',
    (data) => {
      expect(showData(data)).toBe(data);
    },
  );

  it('starts with no version of its page that it does not know', () => {
    expect(() => readAssets('<html><script src="/elsewhere.js"></script></html>')).toThrow(/this version is not known/);
  });
});
