/** The console's door against forged cookies, tokens in the wrong place, guesses and paths that wander. */
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { ConsoleOptions } from '../../runtime/console/console.ts';
import { PAGE_KEY_HEADER } from '../../runtime/console/operator-of.ts';
import { consoleDoor, cookieOf, KEY, PAGE, QUEUES, SAME_ORIGIN } from '../support/console-door.ts';
import { bearer, jsonOf, SECRET, tokenFor } from '../support/fake-modules.ts';

describe('a session cookie', () => {
  const { get, signIn } = consoleDoor();

  it('is kept from scripts and other sites, and goes nowhere but to the console', async () => {
    const { console, get: ask } = consoleDoor();
    const response = await ask(console.issueLogin('ann', ['modules:read']));
    expect(response.headers.get('set-cookie')).toMatch(
      /^plexi_session_80=[\w.-]+; Max-Age=43200; Path=\/console; HttpOnly; SameSite=Strict$/,
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('opens the console', async () => {
    expect((await get(QUEUES, await signIn())).status).toBe(200);
  });

  it('opens no data by itself: cookies know no port, and another server of the same machine receives them', async () => {
    const { gateway, get: ask, signIn: enter } = consoleDoor();
    const { cookie = '' } = await enter();
    const other = await enter();
    for (const key of [{}, { [PAGE_KEY_HEADER]: '' }, { [PAGE_KEY_HEADER]: other[PAGE_KEY_HEADER] ?? '' }]) {
      const headers = { cookie, ...key };
      for (const path of ['/queues', '/queues/weather/1', '/queues/weather/1/logs', '/job-schedulers']) {
        expect((await ask(`/console/queues/api${path}`, headers)).status, path).toBe(401);
      }
      const pause = { method: 'PUT', headers: { ...headers, ...SAME_ORIGIN } };
      expect((await gateway.request(`${QUEUES}/pause`, pause)).status).toBe(401);
    }
    const page = await ask('/console/queues', { cookie, accept: 'text/html' });
    expect(page.status).toBe(200);
    expect(await page.text()).not.toContain(other[PAGE_KEY_HEADER]);
    expect((await ask(QUEUES, other)).status).toBe(200);
  });

  it('of one port is none of another', async () => {
    const { gateway, signIn: enter } = consoleDoor();
    const { cookie = '', ...key } = await enter();
    const at = (port: string, name: string) =>
      gateway.request(QUEUES, { headers: { ...key, cookie: cookie.replace('_80=', name), host: `localhost${port}` } });
    expect((await at('', '_80=')).status).toBe(200);
    expect((await at(':8080', '_80=')).status).toBe(401);
    expect((await at(':8080', '_8080=')).status).toBe(200);
    expect((await at('', '=')).status).toBe(401);
  });

  it('opens nothing when it was tampered with', async () => {
    const { cookie = '', ...key } = await signIn(['modules:read']);
    const [head = '', payload = '', signature = ''] = cookie.slice('plexi_session_80='.length).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const more = encode({ ...claims, operator: { ...claims.operator, permissions: ['modules:manage'] } });
    const none = encode({ alg: 'none', typ: 'plexi-session+jwt' });
    const forged = [
      `${head}.${more}.${signature}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${none}.${payload}.`,
      `${none}.${more}.${signature}`,
      `${head}.${payload}.${'A'.repeat(signature.length)}`,
      `${head}.${payload}.${signature}.x`,
      '',
      '%00',
      'x'.repeat(10_000),
    ];
    for (const token of forged) {
      expect((await get(QUEUES, { ...key, cookie: `plexi_session_80=${token}` })).status, token.slice(0, 80)).toBe(401);
    }
  });

  it('is not made with the host’s secret, an empty key or a key of the client’s', async () => {
    const claims = { operator: { sub: 'ann', permissions: ['modules:manage'] } };
    const sign = (key: Parameters<SignJWT['sign']>[0], alg: string, extra: object = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg, typ: 'plexi-session+jwt', ...extra })
        .setAudience('plexi:console')
        .setJti('x')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(key);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const tokens = [
      await sign(SECRET, 'HS256'),
      await sign(new Uint8Array(32), 'HS256'),
      await sign(privateKey, 'EdDSA', { jwk: publicKey.export({ format: 'jwk' }) }),
    ];
    for (const token of tokens) expect((await get(PAGE, { cookie: `plexi_session_80=${token}` })).status).toBe(401);
  });

  it('is no API token', async () => {
    const { cookie = '' } = await signIn();
    const token = cookie.slice('plexi_session_80='.length);
    for (const path of [QUEUES, '/api/v1/demo']) {
      expect((await get(path, { authorization: `Bearer ${token}` })).status, path).toBe(401);
    }
    expect((await get('/api/v1/demo', { cookie })).status).toBe(401);
  });

  it('is no API token put into a cookie', async () => {
    const cookie = `plexi_session_80=${await tokenFor({ permissions: ['modules:manage'] })}`;
    expect((await get(PAGE, { cookie })).status).toBe(401);
  });

  it('is over for good after signing out', async () => {
    const { gateway, get: ask, signIn: enter } = consoleDoor();
    const session = await enter();
    const out = await gateway.request('/console/logout', { method: 'POST', headers: { ...session, ...SAME_ORIGIN } });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^plexi_session_80=; Max-Age=0; Path=\/console;/);
    expect((await ask(QUEUES, session)).status).toBe(401);
  });

  it('has Secure when the request came by TLS, and only then', async () => {
    const https = { 'x-forwarded-proto': 'https' };
    const trusting = consoleDoor({ trustedProxies: 1 });
    const cookies = await Promise.all([
      get('/console/login'),
      trusting.get(trusting.console.issueLogin('ann', ['modules:read']), https),
    ]);
    expect(cookies[1]?.headers.get('set-cookie')).toMatch(/; Secure/);
    const plain = consoleDoor();
    const response = await plain.get(plain.console.issueLogin('ann', ['modules:read']), https);
    expect(response.headers.get('set-cookie')).not.toMatch(/Secure/);
  });
});

describe('signing in', () => {
  it('with a link works once', async () => {
    const { console, get } = consoleDoor();
    const path = console.issueLogin('ann', ['modules:read']);
    expect((await get(path)).status).toBe(200);
    const again = await get(path);
    expect(again.status).toBe(403);
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it('with a link works once, also for two who come together', async () => {
    const { console, get } = consoleDoor();
    const path = console.issueLogin('ann', ['modules:read']);
    const statuses = (await Promise.all([get(path), get(path), get(path)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 403, 403]);
  });

  it('does not happen by looking ahead', async () => {
    const { console, gateway, get } = consoleDoor();
    const path = console.issueLogin('ann', ['modules:read']);
    expect((await gateway.request(path, { method: 'HEAD' })).status).toBe(403);
    expect((await get(path, { 'sec-purpose': 'prefetch;prerender' })).status).toBe(403);
    expect((await get(path)).status).toBe(200);
  });

  it('by guessing codes ends after ten guesses, and neither the right code nor a key is kept out by them', async () => {
    const { console, get, login } = consoleDoor();
    const path = console.issueLogin('ann', ['modules:read']);
    for (let guess = 0; guess < 20; guess += 1) {
      const headers = { 'x-forwarded-for': `9.9.9.${guess}` };
      const response = await get(`/console/login?code=${String(guess).padStart(43, 'x')}`, headers);
      expect(response.status).toBe(guess < 10 ? 403 : 429);
      if (guess >= 10) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await get(path)).status).toBe(200);
    expect((await login(KEY)).status).toBe(200);
  });

  it.each([
    ['a picture', { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' }],
    ['a script', { 'sec-fetch-dest': 'script', 'sec-fetch-mode': 'no-cors' }],
    ['a frame', { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate' }],
    ['fetch', { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' }],
    ['something without a purpose', { 'sec-fetch-dest': '' }],
    ['no navigation', { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'no-cors' }],
  ])('%s on a page of another site neither counts as a guess nor uses up a link', async (_name, headers) => {
    const { console, get } = consoleDoor();
    const path = console.issueLogin('ann', ['modules:read']);
    for (let count = 0; count < 15; count += 1) {
      const guess = await get('/console/login?code=x', { 'sec-fetch-site': 'cross-site', ...headers });
      expect([guess.status, await jsonOf(guess)]).toMatchObject([403, { code: 'FORBIDDEN' }]);
    }
    const used = await get(path, { 'sec-fetch-site': 'cross-site', ...headers });
    expect([used.status, used.headers.get('set-cookie')]).toEqual([403, null]);
    expect((await get('/console/login?code=x')).status).toBe(403);
    const navigation = { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' };
    expect((await get(path, navigation)).status).toBe(200);
  });

  it('by guessing keys ends after ten guesses', async () => {
    const { login } = consoleDoor();
    for (let guess = 0; guess < 10; guess += 1) expect((await login(`plexi_${guess}`)).status).toBe(401);
    expect((await login(KEY)).status).toBe(429);
  });

  it('takes an API key or a token, and lasts no longer than the token', async () => {
    const { get, login } = consoleDoor();
    const byKey = await login(KEY);
    const answer = await jsonOf<{ pageKey: string }>(byKey.clone());
    expect(answer).toEqual({ location: '/console/queues', pageKey: expect.stringMatching(/^[\w-]{43}$/) });
    const session = { cookie: cookieOf(byKey), [PAGE_KEY_HEADER]: answer.pageKey };
    expect((await get(QUEUES, session)).status).toBe(200);
    const token = await tokenFor({ permissions: ['modules:read'] });
    const byToken = await login(token);
    const claims = decodeJwt(cookieOf(byToken).slice('plexi_session_80='.length));
    expect(claims.exp).toBeLessThanOrEqual(decodeJwt(token).exp ?? 0);
  });

  it('is for operators', async () => {
    const { login } = consoleDoor();
    const response = await login(await tokenFor({ tier: 'admin', permissions: ['read', 'modules:*', 'MODULES:READ'] }));
    expect(response.status).toBe(403);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it.each([undefined, null, 5, '', {}, ['x'], 'x'.repeat(9000)])('refuses %j as a credential', async (credential) => {
    const { login } = consoleDoor();
    expect((await login(credential)).status).toBe(422);
  });

  it('reads no large body', async () => {
    const { login } = consoleDoor();
    expect((await login('x'.repeat(20_000))).status).toBe(413);
  });

  it('does not happen from another site, which would sign its visitor in as somebody else', async () => {
    const { login } = consoleDoor();
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, {}]) {
      const response = await login(KEY, headers);
      expect(response.status).toBe(403);
      expect(response.headers.get('set-cookie')).toBeNull();
    }
  });
});

describe('who is nobody', () => {
  const { get, gateway } = consoleDoor();

  it('is told to sign in: a person by the page, a program by a problem', async () => {
    const person = await get('/console/queues', { accept: 'text/html,*/*' });
    expect([person.status, person.headers.get('location')]).toEqual([303, '/console/login']);
    for (const path of ['/console/queues', QUEUES, '/console/queues/static/locales/en-US/messages.json']) {
      const program = await get(path);
      expect(program.status, path).toBe(401);
      expect(program.headers.get('www-authenticate')).toContain('Bearer');
    }
    expect((await get(QUEUES, { accept: 'text/html' })).status).toBe(401);
  });

  it.each([
    '/console//queues/api/queues',
    '/console/./queues/api/queues',
    '/console/assets/../queues/api/queues',
    '/console/queues/static/../api/queues',
    '/console/queues/',
    '/CONSOLE/queues/api/queues',
    '/console%2Fqueues/api/queues',
    '/console/%71ueues/api/queues',
    '/console/queues/static/%2e%2e/%2e%2e/package.json',
    '/console/queues/static/..%2f..%2fpackage.json',
    '/console/assets/..%2fconsole.ts',
    '/console/assets/console.ts',
  ])('gets nothing at %s', async (path) => {
    expect([401, 404]).toContain((await get(path)).status);
  });

  it('who is signed in gets no other file either', async () => {
    const headers = await bearer({ permissions: ['modules:manage'] });
    for (const path of [
      '/static/%2e%2e/index.ejs',
      '/static/..%2findex.ejs',
      '/static/../index.ejs',
      '/static//etc/passwd',
      '/static/js',
    ]) {
      const response = await gateway.request(`/console/queues${path}`, { headers });
      expect(response.status, path).toBe(404);
    }
  });

  it('a bad credential is not covered up by a good cookie', async () => {
    const { get: ask, signIn } = consoleDoor();
    expect((await ask(QUEUES, { ...(await signIn()), authorization: 'Bearer x.y.z' })).status).toBe(401);
  });
});

describe('the pages', () => {
  it('run our files only, and cannot be framed', async () => {
    const { get, signIn } = consoleDoor();
    for (const [path, headers] of [
      ['/console/login', {}],
      ['/console/logout', {}],
      ['/console/queues', await signIn()],
      ['/console/queues/queue/weather', await signIn()],
    ] as const) {
      const response = await get(path, headers);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('cache-control')).toBe('no-store');
      const page = await response.text();
      expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
      expect(page).not.toMatch(/\sstyle=|\son\w+=|<style/);
    }
  });

  it('have a new nonce each time', async () => {
    const { get, signIn } = consoleDoor();
    const session = await signIn();
    const policies = await Promise.all(
      [0, 1, 2].map(async () => (await get('/console/queues', session)).headers.get('content-security-policy')),
    );
    expect(new Set(policies).size).toBe(3);
  });
});

describe('a queue that is lost', () => {
  it('is said to be, within ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const lost = {
        name: 'weather',
        opts: {},
        metaValues: { version: 'bullmq:6' },
        getJob: () => new Promise(() => {}),
      };
      const queues = [lost as unknown as ReturnType<ConsoleOptions['desk']['queues']>[number]];
      const { get } = consoleDoor({ desk: { queues: () => queues, onQueues: () => {} } });
      const asked = get(`${QUEUES}/weather/1`, { 'x-api-key': KEY });
      await vi.advanceTimersByTimeAsync(10_000);
      const response = await asked;
      expect(response.status).toBe(503);
      expect(await jsonOf(response)).toMatchObject({
        code: 'QUEUE_UNAVAILABLE',
        message: expect.stringContaining('10 s'),
      });
    } finally {
      vi.useRealTimers();
    }
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
