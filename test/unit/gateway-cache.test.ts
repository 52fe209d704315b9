import { describe, expect, it, vi } from 'vitest';
import { createResponseCache } from '../../runtime/policy/response-cache.ts';
import {
  bearer,
  type FakeRequest,
  failure,
  fakeDirectory,
  fakeGateway,
  fakeModule,
  json,
  jsonOf,
  OPEN,
  type TokenClaims,
} from '../support/fake-modules.ts';

interface Told {
  readonly count: number;
  readonly user: string | null;
  readonly host: string;
}

const whoAndWhen = () => {
  let count = 0;
  return ({ user, query, headers, url }: FakeRequest) => {
    count += 1;
    return json({
      count,
      user: user?.id ?? null,
      query: { ...query },
      headers: Object.fromEntries(headers),
      host: new URL(url).host,
    });
  };
};

function cached(endpoint: object = {}, manifest: Record<string, unknown> = OPEN, name = 'demo') {
  return fakeModule({
    name,
    manifest,
    endpoints: {
      'GET /': { cacheTtl: 60, run: whoAndWhen(), ...endpoint },
      'POST /': { cacheTtl: 60, run: whoAndWhen() },
    },
  });
}

describe('kept answers', () => {
  it('are given again, until their time is over', async () => {
    let now = 1_000_000;
    const module = cached();
    const app = fakeGateway([module], { now: () => now });
    const ask = async () => {
      const response = await app.request('/api/v1/demo?b=1&a=2');
      return [response.headers.get('x-cache'), (await jsonOf<Told>(response)).count];
    };
    expect(await ask()).toEqual(['MISS', 1]);
    now += 59_000;
    expect(await ask()).toEqual(['HIT', 1]);
    expect((await app.request('/api/v1/demo?a=2&b=1')).headers.get('x-cache')).toBe('HIT');
    expect((await app.request('/api/v1/demo?a=2&b=2')).headers.get('x-cache')).toBe('MISS');
    now += 2000;
    expect(await ask()).toEqual(['MISS', 3]);
  });

  it('have their own request id and rate limit each time', async () => {
    const app = fakeGateway([cached({ rateLimit: 10 })]);
    const [first, second] = [await app.request('/api/v1/demo'), await app.request('/api/v1/demo')];
    expect(second.headers.get('x-cache')).toBe('HIT');
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(second.headers.get('ratelimit')).toBe('"endpoint";r=8;t=60');
  });

  it('are not made of anything but GET', async () => {
    const app = fakeGateway([cached()]);
    for (let count = 0; count < 2; count += 1) {
      expect((await app.request('/api/v1/demo', { method: 'POST' })).headers.get('x-cache')).toBeNull();
    }
    expect((await app.request('/api/v1/demo', { method: 'HEAD' })).headers.get('x-cache')).toBe('MISS');
    expect((await app.request('/api/v1/demo')).headers.get('x-cache')).toBe('HIT');
  });

  it('never cross from one user to another', async () => {
    const app = fakeGateway([cached({}, {})]);
    const ask = async (claims: TokenClaims) => {
      const response = await app.request('/api/v1/demo', { headers: await bearer(claims) });
      return [response.headers.get('x-cache'), (await jsonOf<Told>(response)).user];
    };
    expect(await ask({ sub: 'alice' })).toEqual(['MISS', 'alice']);
    expect(await ask({ sub: 'bob' })).toEqual(['MISS', 'bob']);
    expect(await ask({ sub: 'alice' })).toEqual(['HIT', 'alice']);
    expect(await ask({ sub: 'alice', tier: 'admin' })).toEqual(['MISS', 'alice']);
    expect(await ask({ sub: 'alice', permissions: ['read'] })).toEqual(['MISS', 'alice']);
  });

  it('of a public endpoint are shared among those who did not say who they are', async () => {
    const app = fakeGateway([cached()]);
    expect((await jsonOf<Told>(app.request('/api/v1/demo'))).user).toBeNull();
    const signedIn = await app.request('/api/v1/demo', { headers: await bearer() });
    expect(await signedIn.json()).toMatchObject({ user: 'alice' });
    const again = await app.request('/api/v1/demo');
    expect(again.headers.get('x-cache')).toBe('HIT');
    expect((await jsonOf<Told>(again)).user).toBeNull();
  });

  it('never cross from one module to another', async () => {
    const app = fakeGateway([cached({}, OPEN, 'one'), cached({}, OPEN, 'two')]);
    await app.request('/api/v1/one');
    expect((await app.request('/api/v1/two')).headers.get('x-cache')).toBe('MISS');
  });

  it('cannot be poisoned through a header or a host that is not part of the key', async () => {
    const app = fakeGateway([cached()]);
    await app.request('http://localhost/api/v1/demo', {
      headers: { 'x-evil': '<script>', 'accept-language': 'xx', referer: 'evil' },
    });
    const honest = await (await app.request('http://localhost/api/v1/demo')).json();
    expect(honest).toMatchObject({ count: 2, headers: {} });
    const evil = await jsonOf<Told>(app.request('http://evil.example/api/v1/demo'));
    expect(evil.host).toBe('evil.example');
    const again = await app.request('http://localhost/api/v1/demo', { headers: { 'x-evil': '1' } });
    expect(again.headers.get('x-cache')).toBe('HIT');
    expect((await jsonOf<Told>(again)).host).toBe('localhost');
  });

  it('cannot be reached by ids that imitate the key', async () => {
    const app = fakeGateway([cached({}, {})]);
    await app.request('/api/v1/demo', { headers: await bearer({ sub: 'a"],"x' }) });
    const other = await app.request('/api/v1/demo', { headers: await bearer({ sub: 'a' }) });
    expect(other.headers.get('x-cache')).toBe('MISS');
  });

  it.each([
    ['an error', () => json({}, 404)],
    ['no-store', () => json({}, 200, [['cache-control', 'max-age=5, No-Store']])],
    ['private', () => json({}, 200, [['cache-control', 'private']])],
    ['Vary: *', () => json({}, 200, [['vary', '*']])],
    ['a large body', () => json('x'.repeat(300_000))],
    [
      'a stream',
      () => ({ status: 200, headers: [], body: { kind: 'stream' as const, stream: new Blob(['x']).stream() } }),
    ],
    ['a failure', failure('MODULE_ERROR', 'no')],
  ])('are not made of %s', async (_name, run) => {
    const app = fakeGateway([cached({ run })]);
    await (await app.request('/api/v1/demo')).text();
    expect((await app.request('/api/v1/demo')).headers.get('x-cache')).not.toBe('HIT');
  });

  it('are forgotten when their module changes', async () => {
    const directory = fakeDirectory(cached(), cached({}, OPEN, 'other'));
    const app = fakeGateway(directory);
    await app.request('/api/v1/demo');
    await app.request('/api/v1/other');
    directory.modules[0] = cached();
    directory.revision += 1;
    expect((await app.request('/api/v1/demo')).headers.get('x-cache')).toBe('MISS');
    expect((await app.request('/api/v1/other')).headers.get('x-cache')).toBe('HIT');
    directory.modules.shift();
    directory.revision += 1;
    expect((await app.request('/api/v1/demo')).status).toBe(404);
  });

  it('are bounded by bytes', () => {
    const cache = createResponseCache({ maxBytes: 100_000 });
    const answer = { status: 200, headers: {}, body: 'x'.repeat(20_000) };
    for (let index = 0; index < 10; index += 1) cache.store(`k${index}`, answer, 60_000);
    const kept = Array.from({ length: 10 }, (_, index) => cache.find(`k${index}`)).filter(
      (found) => found !== undefined,
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(4);
  });
});

describe('misses at the same time', () => {
  it('share one invocation', async () => {
    const gate = Promise.withResolvers<void>();
    const run = vi.fn(async () => {
      await gate.promise;
      return json({ once: true });
    });
    const app = fakeGateway([cached({ run })]);
    const asked = Array.from({ length: 20 }, () => app.request('/api/v1/demo'));
    gate.resolve();
    const answers = await Promise.all(asked);
    expect(run).toHaveBeenCalledTimes(1);
    expect(answers.map(({ headers }) => headers.get('x-cache')).filter((value) => value === 'MISS')).toHaveLength(1);
    for (const answer of answers) expect(await answer.json()).toEqual({ once: true });
  });

  it('share a failure too, and the next one tries again', async () => {
    const run = vi.fn(failure('MODULE_CRASHED', 'gone'));
    const app = fakeGateway([cached({ run })]);
    const answers = await Promise.all([app.request('/api/v1/demo'), app.request('/api/v1/demo')]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    run.mockImplementation(() => json({ back: true }) as never);
    expect((await app.request('/api/v1/demo')).status).toBe(200);
  });

  it('do not share what was meant for one of them', async () => {
    let count = 0;
    const run = async () => json({ count: ++count }, 200, [['cache-control', 'private']]);
    const app = fakeGateway([cached({ run })]);
    const answers = await Promise.all([app.request('/api/v1/demo'), app.request('/api/v1/demo')]);
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ count: 1 }, { count: 2 }]);
  });

  it('do not share between users', async () => {
    const run = vi.fn(whoAndWhen());
    const app = fakeGateway([cached({ run }, {})]);
    const answers = await Promise.all(
      ['alice', 'bob'].map(async (sub) => app.request('/api/v1/demo', { headers: await bearer({ sub }) })),
    );
    expect(await Promise.all(answers.map(async (answer) => (await jsonOf<Told>(answer)).user))).toEqual([
      'alice',
      'bob',
    ]);
  });

  it('survive that the first client goes away', async () => {
    const gate = Promise.withResolvers<void>();
    const module = cached({ run: () => gate.promise.then(() => json(1)) });
    const app = fakeGateway([module]);
    const client = new AbortController();
    const first = app.request('/api/v1/demo', { signal: client.signal });
    const second = app.request('/api/v1/demo');
    client.abort();
    expect(module.calls[0]?.options.signal).toBeUndefined();
    gate.resolve();
    expect((await second).status).toBe(200);
    await first;
  });
});

describe('ETag', () => {
  const run = () => json({ same: true });

  it('comes with answers that are kept, and saves sending them again', async () => {
    const app = fakeGateway([cached({ run })]);
    const etag = (await app.request('/api/v1/demo')).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{20,}"$/);
    const again = await app.request('/api/v1/demo', { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('x-cache')).toBe('HIT');
    expect(again.headers.get('content-type')).toBeNull();
    expect((await app.request('/api/v1/demo', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('comes with other answers only when a client asks', async () => {
    const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': { run }, 'POST /': { run } } })]);
    expect((await app.request('/api/v1/demo')).headers.get('etag')).toBeNull();
    const etag = (await app.request('/api/v1/demo', { headers: { 'if-none-match': '"x"' } })).headers.get('etag') ?? '';
    expect((await app.request('/api/v1/demo', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await app.request('/api/v1/demo', { method: 'POST', headers: { 'if-none-match': etag } })).status).toBe(
      200,
    );
  });

  it('of the module is respected, for streams too', async () => {
    const cancel = vi.fn();
    const body = { kind: 'stream' as const, stream: new ReadableStream<Uint8Array>({ cancel }) };
    const app = fakeGateway([
      fakeModule({
        manifest: OPEN,
        endpoints: { 'GET /': { run: () => ({ status: 200, headers: [['etag', '"v1"']], body }) } },
      }),
    ]);
    expect((await app.request('/api/v1/demo', { headers: { 'if-none-match': '"v1"' } })).status).toBe(304);
    expect(cancel).toHaveBeenCalled();
  });

  it('is not made for errors', async () => {
    const app = fakeGateway([cached({ run: () => json({}, 404) })]);
    const response = await app.request('/api/v1/demo', { headers: { 'if-none-match': '*' } });
    expect(response.status).toBe(404);
    expect(response.headers.get('etag')).toBeNull();
  });
});
