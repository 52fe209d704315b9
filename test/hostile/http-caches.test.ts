/** Answers that are kept, here or on the way to a client: nobody gets what was made for somebody else. */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { bearer, type FakeRequest, failure, fakeGateway, fakeModule, json, OPEN } from '../support/fake-modules.ts';

const PATH = '/api/v1/demo';
const KEY = 'plexi_a-key-for-tests';
const AUTH = {
  secret: new TextEncoder().encode('a secret that is only for tests, 32+ bytes'),
  apiKeys: [
    {
      id: 'key-1',
      sha256: createHash('sha256').update(KEY).digest('hex'),
      sub: 'carol',
      tier: 'basic' as const,
      permissions: [],
    },
  ],
};

const told = ({ user, url, method, headers }: FakeRequest) =>
  json({ user: user?.id ?? null, url, method, headers: Object.fromEntries(headers) });

function edge(endpoint: object = {}, manifest: Record<string, unknown> = OPEN) {
  const run = vi.fn(told);
  const module = fakeModule({
    manifest,
    endpoints: { 'GET /': { cacheTtl: 60, run, ...endpoint }, 'POST /': { run } },
  });
  const app = fakeGateway([module], { auth: AUTH });
  const ask = async (path = '', init: RequestInit = {}) => {
    const response = await app.request(`${path.startsWith('http') ? '' : PATH}${path}`, init);
    const body = await response.text();
    return { status: response.status, headers: response.headers, cache: response.headers.get('x-cache'), body };
  };
  return { app, ask, run };
}

describe('what others would be given', () => {
  it.each([
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: nothttps',
    'X-Forwarded-Port: 6666',
    'X-Forwarded-Scheme: ftp',
    'X-Forwarded-Prefix: /evil',
    'X-Forwarded-For: 6.6.6.6',
    'Forwarded: host=evil.example',
    'X-Host: evil.example',
    'X-Original-Host: evil.example',
    'X-HTTP-Host-Override: evil.example',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-HTTP-Method-Override: POST',
    'X-Real-IP: 6.6.6.6',
    'True-Client-IP: 6.6.6.6',
    'Origin: https://evil.example',
    'Referer: https://evil.example',
    'User-Agent: <script>',
    'Cookie: lang=<script>',
    'Range: bytes=0-0',
    'If-Range: "x"',
    'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
    'Accept-Encoding: evil',
    'Accept-Charset: utf-7',
    'Content-Type: text/evil',
    'Pragma: no-cache',
    'Cache-Control: no-store',
    'Via: 1.1 evil',
    'X-Request-Id: evil-evil-evil',
    'X-Anything: evil',
  ])('has nothing of %s', async (header) => {
    const { ask } = edge();
    const [name = '', value = ''] = header.split(': ');
    const poisoned = await ask('', { headers: { [name]: value } });
    expect(poisoned.status).toBe(200);
    expect(poisoned.body).not.toContain(value);
    const honest = await ask();
    expect([honest.cache, honest.body]).toEqual(['HIT', poisoned.body]);
    expect(JSON.parse(honest.body)).toMatchObject({ user: null, method: 'GET', headers: {} });
    expect(honest.headers.get('x-request-id')).not.toBe('evil-evil-evil');
  });

  it.each(['Accept: text/evil', 'Accept-Language: evil'])('is kept apart by %s', async (header) => {
    const { ask } = edge();
    const [name = '', value = ''] = header.split(': ');
    await ask('', { headers: { [name]: value } });
    expect((await ask()).cache).toBe('MISS');
  });

  it('is kept apart by host, and by a line break that the host’s name or the query could bring', async () => {
    const { ask } = edge();
    await ask(`http://localhost${PATH}?a=1%0aaccept:text/evil`);
    expect((await ask(`http://localhost${PATH}?a=1`, { headers: { accept: 'text/evil' } })).cache).toBe('MISS');
    expect((await ask(`http://other.example${PATH}?a=1`)).cache).toBe('MISS');
  });

  it.each([
    ['?a=1&b=2', '?b=2&a=1', 'HIT'],
    ['?a=1&a=2', '?a=2&a=1', 'MISS'],
    ['?a=1&%61=2', '?%61=2&a=1', 'MISS'],
    ['?a=1', '?A=1', 'MISS'],
    ['?a=1', '?a=1&', 'MISS'],
    ['?a=', '?a', 'MISS'],
    ['?a=%2F', '?a=/', 'MISS'],
    ['?a=1;b=2', '?a=1&b=2', 'MISS'],
    ['?a=1&b=2', '?a=1%26b=2', 'MISS'],
    ['?utm_source=evil', '', 'MISS'],
    ['?callback=evil', '', 'MISS'],
  ])('of %s is not of %s (%s)', async (first, second, cache) => {
    const { ask } = edge();
    await ask(first);
    expect((await ask(second)).cache).toBe(cache);
  });

  it('is the same for HEAD and GET, and HEAD makes no empty answer for GET', async () => {
    const { ask, run } = edge();
    const head = await ask('', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    const get = await ask();
    expect([get.cache, get.body === '']).toEqual(['HIT', false]);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('is not made by a condition, a part or a method of somebody else’s', async () => {
    const { ask } = edge();
    expect((await ask('', { headers: { 'if-none-match': '*' } })).status).toBe(304);
    expect((await ask('', { headers: { range: 'bytes=0-1' } })).status).toBe(200);
    await ask('', { method: 'POST' });
    const honest = await ask();
    expect([honest.status, honest.cache]).toEqual([200, 'HIT']);
    expect(JSON.parse(honest.body).method).toBe('GET');
  });

  it.each([
    ['an error', () => json({ no: true }, 404)],
    ['a redirect', () => json({}, 301, [['location', 'https://evil.example/']])],
    ['a part', () => json({}, 206, [['content-range', 'bytes 0-1/2']])],
    ['no content', () => ({ status: 204, headers: [], body: { kind: 'none' as const } })],
    ['a module’s own refusal', failure('MODULE_HTTP_ERROR', 'no', { status: 403 })],
    ['an answer that is not valid', () => json({}, 200, [['etag', 'no quotes']])],
    ['a failure', failure('MODULE_CRASHED', 'no')],
    ['what says private', () => json({}, 200, [['cache-control', 'max-age=60,Private']])],
    [
      'what says no-store in a second header',
      () =>
        json({}, 200, [
          ['cache-control', 'public'],
          ['Cache-Control', 'no-store'],
        ]),
    ],
    ['what says private with a field', () => json({}, 200, [['cache-control', 'private="x-module-a"']])],
    ['what varies by everything', () => json({}, 200, [['vary', 'accept, *']])],
  ])('is not %s', async (_name, run) => {
    const { ask } = edge({ run });
    await ask();
    expect((await ask()).cache).not.toBe('HIT');
  });
});

describe('one caller and another', () => {
  const closed = {};

  it('never share, whichever way they say who they are', async () => {
    const { ask } = edge({}, closed);
    const alice = { headers: await bearer({ sub: 'alice' }) };
    const bob = { headers: await bearer({ sub: 'bob' }) };
    const carol = { headers: { 'x-api-key': KEY } };
    for (const [who, init] of [
      ['alice', alice],
      ['bob', bob],
      ['carol', carol],
    ] as const) {
      const first = await ask('', init);
      expect([first.cache, JSON.parse(first.body).user]).toEqual(['MISS', who]);
      expect((await ask('', init)).cache).toBe('HIT');
    }
    expect((await ask()).status).toBe(401);
    expect((await ask('', { headers: { 'x-api-key': 'no' } })).status).toBe(401);
  });

  it('learn nothing of each other from an ETag: each is compared with one’s own answer', async () => {
    const { ask } = edge({}, closed);
    const alice = await ask('', { headers: await bearer({ sub: 'alice' }) });
    const etag = alice.headers.get('etag') ?? '';
    const bob = await ask('', { headers: { ...(await bearer({ sub: 'bob' })), 'if-none-match': etag } });
    expect([bob.status, JSON.parse(bob.body).user]).toEqual([200, 'bob']);
    for (const headers of [{ 'if-none-match': etag }, { 'if-none-match': '*' }]) {
      const nobody = await ask('', { headers });
      expect([nobody.status, nobody.headers.get('etag')]).toEqual([401, null]);
    }
  });

  it('lose what was kept for them together with the right to it', async () => {
    let withdrawn = false;
    const module = fakeModule({ endpoints: { 'GET /': { cacheTtl: 60, run: told } } });
    const app = fakeGateway([module], { auth: { ...AUTH, isRevoked: () => withdrawn } });
    const headers = await bearer({ jti: 'token-1' });
    expect((await app.request(PATH, { headers })).status).toBe(200);
    withdrawn = true;
    expect((await app.request(PATH, { headers })).status).toBe(401);
  });

  it('are counted for what they are given from the cache too', async () => {
    const { ask } = edge({ rateLimit: 2 }, closed);
    const headers = await bearer();
    const statuses = [await ask('', { headers }), await ask('', { headers }), await ask('', { headers })];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
  });
});

describe('a cache between us and the client', () => {
  const vary = async (endpoint: object, init: RequestInit = {}, manifest: Record<string, unknown> = OPEN) => {
    const { headers } = await edge(endpoint, manifest).ask('', init);
    return [headers.get('vary'), headers.get('cache-control')];
  };

  it('is told what answers depend on', async () => {
    expect(await vary({ cacheTtl: 0 })).toEqual(['authorization, x-api-key', null]);
    expect(await vary({})).toEqual(['authorization, x-api-key, accept, accept-language', null]);
  });

  it('keeps nothing of somebody who said who they are, unless the module says so, and then for them alone', async () => {
    const known = { headers: await bearer() };
    expect(await vary({ cacheTtl: 0 }, known, {})).toEqual(['authorization, x-api-key', 'private']);
    expect(await vary({ cacheTtl: 0 }, { headers: { 'x-api-key': KEY } })).toEqual([
      'authorization, x-api-key',
      'private',
    ]);
    const run = () =>
      json({}, 200, [
        ['cache-control', 'public, max-age=600'],
        ['vary', 'origin'],
      ]);
    expect(await vary({ cacheTtl: 0, run }, known, {})).toEqual([
      'origin, authorization, x-api-key',
      'max-age=600, private',
    ]);
  });

  it('is told so in every form of an answer: kept, 304, HEAD', async () => {
    const { ask } = edge({}, {});
    const headers = await bearer();
    const first = await ask('', { headers });
    const etag = first.headers.get('etag') ?? '';
    const others = [
      await ask('', { headers }),
      await ask('', { headers: { ...headers, 'if-none-match': etag } }),
      await ask('', { headers, method: 'HEAD' }),
    ];
    expect(others.map(({ status }) => status)).toEqual([200, 304, 200]);
    for (const answer of [first, ...others]) {
      expect(answer.headers.get('vary')).toBe('authorization, x-api-key, accept, accept-language');
      expect(answer.headers.get('cache-control')).toBe('private');
    }
  });

  it('keeps no refusal and no failure', async () => {
    const { app, ask } = edge({ run: failure('MODULE_ERROR', 'no') }, {});
    const answers = [
      await ask(),
      await ask('/none'),
      await ask('', { headers: await bearer() }),
      await ask('', { method: 'PUT' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 500, 405]);
    for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store');
    for (const path of ['/nothing', '/console', '/api/v1/modules', '/x/%2e%2e/y']) {
      expect((await app.request(path)).headers.get('cache-control'), path).toBe('no-store');
    }
  });
});
