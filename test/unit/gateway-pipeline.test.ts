import { describe, expect, it, vi } from 'vitest';
import type { Answered } from '../../runtime/gateway/module-door.ts';
import type { Problem } from '../../runtime/gateway/problem.ts';
import { MODULE_STATES } from '../../runtime/modules/served-module.ts';
import { bearer, failure, fakeGateway, fakeModule, json, jsonOf, LIMITS, OPEN } from '../support/fake-modules.ts';

const post = (
  body: string | Uint8Array | ReadableStream,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => ({ method: 'POST', body, headers, duplex: 'half' }) as RequestInit;

/** A body that reports whether anybody read it. */
function watchedBody() {
  const pull = vi.fn((controller: ReadableStreamDefaultController) => controller.close());
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), pull };
}

async function problemOf(asked: Response | Promise<Response>) {
  const response = await asked;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const problem = await jsonOf<Problem>(response);
  expect(problem).toMatchObject({ status: response.status, requestId: response.headers.get('x-request-id') });
  return { ...problem, headers: Object.fromEntries(response.headers) };
}

describe('route', () => {
  const gateway = fakeGateway([
    fakeModule({
      manifest: OPEN,
      endpoints: {
        'GET /': {},
        'GET /users/me': {},
        'GET /users/:id': {},
        'DELETE /users/:id': {},
        'GET /files/*': {},
      },
    }),
  ]);

  it.each([
    '/api/v1/nope',
    '/api/v1/demo/nope',
    '/api/v1/demonstration',
    '/nope',
    '/api/v1/demo//users/me',
    '/api/v1/demo/users/a%2fb',
  ])('answers NOT_FOUND at %s', async (path) => {
    expect(await problemOf(gateway.request(path))).toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      instance: new URL(path, 'http://x').pathname,
    });
  });

  it('answers METHOD_NOT_ALLOWED with what is allowed', async () => {
    const problem = await problemOf(gateway.request('/api/v1/demo/users/5', { method: 'PUT' }));
    expect(problem).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 });
    expect(problem.headers.allow).toBe('GET, DELETE, HEAD, OPTIONS');
  });

  it('answers OPTIONS without asking who calls', async () => {
    const response = await gateway.request('/api/v1/demo/users/5', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toBe('GET, DELETE, HEAD, OPTIONS');
  });

  it('gives the module its parameters, decoded', async () => {
    const module = fakeModule({ manifest: OPEN, endpoints: { 'GET /users/:id/x': {}, 'GET /files/*': {} } });
    const app = fakeGateway([module]);
    await app.request('/api/v1/demo/users/caf%C3%A9/x');
    await app.request('/api/v1/demo/files/a/b%20c.txt');
    expect(module.calls.map(({ request }) => ({ ...request.params }))).toEqual([{ id: 'café' }, { '*': 'a/b c.txt' }]);
  });

  it('takes the endpoint that was declared first', async () => {
    const module = fakeModule({
      manifest: OPEN,
      endpoints: { 'GET /users/me': {}, 'GET /users/:id': {}, 'GET /:a/:b': {} },
    });
    const app = fakeGateway([module]);
    for (const path of ['users/me', 'users/5', 'x/y']) await app.request(`/api/v1/demo/${path}`);
    expect(module.calls.map(({ request }) => request.handler)).toEqual([
      'GET /users/me',
      'GET /users/:id',
      'GET /:a/:b',
    ]);
  });

  it('serves HEAD by GET, without a body', async () => {
    const response = await gateway.request('/api/v1/demo', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it.each(MODULE_STATES)('knows what to do in state %s', async (state) => {
    const app = fakeGateway([fakeModule({ state, manifest: OPEN, endpoints: { 'GET /': {} } })]);
    const response = await app.request('/api/v1/demo');
    if (['running', 'sleeping', 'starting', 'crashed', 'draining', 'upgrade_pending'].includes(state)) {
      expect(response.status).toBe(200);
      return;
    }
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ code: 'MODULE_UNAVAILABLE', status: 503 });
    expect(Number(problem.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.stringify(problem)).not.toContain('for operators only');
  });

  it('gives no module a path of the platform', async () => {
    const thief = fakeModule({ name: 'thief', prefix: '/api/v1/modules', manifest: OPEN, endpoints: { 'GET /': {} } });
    // Nothing is mounted there in this gateway: still it is not the module's.
    const response = await fakeGateway([thief]).request('/api/v1/modules');
    expect(response.status).toBe(404);
    expect(thief.calls).toEqual([]);
  });

  it('does not serve what was declared in a way that is not plain', async () => {
    const onEndpointProblem = vi.fn();
    const module = fakeModule({
      manifest: OPEN,
      endpoints: {
        'GET /a:b': {},
        'GET /x*': {},
        'GET /:a/:a': {},
        'GET /ok': {},
        'GET /re': { schemas: { query: { pattern: '(?=x)' } } },
      },
    });
    const app = fakeGateway([module], { onEndpointProblem });
    expect((await app.request('/api/v1/demo/ok')).status).toBe(200);
    for (const path of ['a', 'ab', 'xy', 're', 'q/q'])
      expect((await app.request(`/api/v1/demo/${path}`)).status).toBe(404);
    expect(onEndpointProblem.mock.calls.map(([, problem]) => problem)).toEqual([
      expect.stringContaining('GET /a:b: the path has the parameter "a:b"'),
      expect.stringContaining('GET /x*: the path may have "*" only'),
      expect.stringContaining('GET /:a/:a: the path has the parameter ":a" twice'),
      expect.stringContaining('GET /re: schema query/pattern is not supported'),
    ]);
  });
});

describe('authenticate and authorize', () => {
  const module = fakeModule({
    manifest: { user_tier_access: ['premium', 'admin'] },
    endpoints: {
      'GET /': {},
      'GET /admins': { userTiers: ['admin'] },
      'GET /write': { permissions: ['read', 'write'] },
      'POST /': {},
    },
  });
  const gateway = fakeGateway([module]);

  it('asks who calls', async () => {
    const problem = await problemOf(gateway.request('/api/v1/demo'));
    expect(problem).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    expect(problem.headers['www-authenticate']).toBe('Bearer realm="plexi"');
  });

  it('names the tier that is missing', async () => {
    const basic = { headers: await bearer({ tier: 'basic' }) };
    expect(await problemOf(gateway.request('/api/v1/demo', basic))).toMatchObject({
      code: 'FORBIDDEN',
      status: 403,
      detail: 'This endpoint is for the tier premium or admin; yours is basic.',
    });
    const premium = { headers: await bearer({ tier: 'premium' }) };
    expect(await problemOf(gateway.request('/api/v1/demo/admins', premium))).toMatchObject({
      detail: 'This endpoint is for the tier admin; yours is premium.',
    });
  });

  it('names the permissions that are missing; admins and stars have no magic', async () => {
    const headers = await bearer({ tier: 'admin', permissions: ['read', '*', 'write.all'] });
    expect(await problemOf(gateway.request('/api/v1/demo/write', { headers }))).toMatchObject({
      code: 'FORBIDDEN',
      detail: 'The caller lacks the permission write.',
    });
  });

  it('lets the right caller in, and tells the module who it is', async () => {
    const headers = await bearer({ sub: 'alice', tier: 'premium', permissions: ['write', 'read'] });
    const response = await gateway.request('/api/v1/demo/write', { headers });
    expect(response.status).toBe(200);
    expect(module.calls.at(-1)?.request.user).toEqual({ id: 'alice', tier: 'premium', permissions: ['read', 'write'] });
  });

  it('takes only admins where the module says so', async () => {
    const app = fakeGateway([fakeModule({ manifest: { security: { admin_only: true } }, endpoints: { 'GET /': {} } })]);
    expect((await app.request('/api/v1/demo', { headers: await bearer({ tier: 'premium' }) })).status).toBe(403);
    expect((await app.request('/api/v1/demo', { headers: await bearer({ tier: 'admin' }) })).status).toBe(200);
  });

  it('lets nobody in particular in only where nothing is asked of callers', async () => {
    const open = { security: { require_authentication: false } };
    const endpoints = {
      'GET /': {},
      'GET /tier': { userTiers: ['basic' as const] },
      'GET /permission': { permissions: ['read'] },
    };
    const app = fakeGateway([fakeModule({ manifest: open, endpoints })]);
    expect((await app.request('/api/v1/demo')).status).toBe(200);
    expect((await app.request('/api/v1/demo/tier')).status).toBe(401);
    expect((await app.request('/api/v1/demo/permission')).status).toBe(401);
    const picky = fakeGateway([
      fakeModule({ manifest: { ...open, user_tier_access: ['admin'] }, endpoints: { 'GET /': {} } }),
    ]);
    expect((await picky.request('/api/v1/demo')).status).toBe(401);
  });

  it('refuses a bad credential on a public endpoint too', async () => {
    const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': {} } })]);
    const problem = await problemOf(app.request('/api/v1/demo', { headers: { authorization: 'Bearer x' } }));
    expect(problem.code).toBe('UNAUTHENTICATED');
    expect(problem.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it.each([
    ['401', {}],
    ['403', 'basic'],
  ])('refuses with %s before it reads the body', async (status, tier) => {
    const { body, pull } = watchedBody();
    const headers = { 'content-type': 'application/json', ...(typeof tier === 'string' ? await bearer({ tier }) : {}) };
    const response = await gateway.request('/api/v1/demo', post(body, headers));
    expect(response.status).toBe(Number(status));
    expect(pull).not.toHaveBeenCalled();
  });
});

describe('rate limit', () => {
  it('counts per endpoint and per module, and says so in headers', async () => {
    const module = fakeModule({
      manifest: { security: { require_authentication: false }, api: { rate_limit: 3 } },
      endpoints: { 'GET /a': { rateLimit: 1 }, 'GET /b': {} },
    });
    const app = fakeGateway([module]);
    const first = await app.request('/api/v1/demo/a');
    expect(first.headers.get('ratelimit-policy')).toBe('"endpoint";q=1;w=60, "module";q=3;w=60');
    expect(first.headers.get('ratelimit')).toBe('"endpoint";r=0;t=60, "module";r=2;t=60');
    const refused = await problemOf(app.request('/api/v1/demo/a'));
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(refused.headers).toMatchObject({
      'retry-after': expect.stringMatching(/^\d+$/),
      ratelimit: expect.stringContaining('r=0'),
    });
    expect((await app.request('/api/v1/demo/b')).headers.get('ratelimit')).toBe('"module";r=1;t=60');
    expect((await app.request('/api/v1/demo/b')).status).toBe(200);
    expect((await app.request('/api/v1/demo/b')).status).toBe(429);
    expect(module.calls).toHaveLength(3);
  });

  it('is told on refusals that come after it', async () => {
    const app = fakeGateway([
      fakeModule({
        manifest: { security: { require_authentication: false } },
        endpoints: { 'GET /': { run: failure('MODULE_CRASHED', 'gone') } },
      }),
    ]);
    expect((await problemOf(app.request('/api/v1/demo'))).headers.ratelimit).toBe('"module";r=99;t=60');
  });

  it('can be turned off for the module, not for an endpoint that names its own', async () => {
    const app = fakeGateway([
      fakeModule({
        manifest: { ...OPEN, api: { rate_limit: 1 } },
        endpoints: { 'GET /a': { rateLimit: 2 }, 'GET /b': {} },
      }),
    ]);
    for (let count = 0; count < 3; count += 1) expect((await app.request('/api/v1/demo/b')).status).toBe(200);
    expect((await app.request('/api/v1/demo/b')).headers.get('ratelimit')).toBeNull();
    expect((await app.request('/api/v1/demo/a')).headers.get('ratelimit')).toBe('"endpoint";r=1;t=60');
  });

  it('refuses before it reads the body', async () => {
    const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'POST /': { rateLimit: 1 } } })]);
    await app.request('/api/v1/demo', post('{}'));
    const { body, pull } = watchedBody();
    expect((await app.request('/api/v1/demo', post(body))).status).toBe(429);
    expect(pull).not.toHaveBeenCalled();
  });
});

describe('validate', () => {
  const body = {
    type: 'object',
    additionalProperties: false,
    required: ['email'],
    properties: { email: { type: 'string', format: 'email' }, level: { type: 'integer', default: 3 } },
  };
  const module = fakeModule({
    manifest: OPEN,
    endpoints: {
      'POST /:room': {
        schemas: {
          params: { type: 'object', properties: { room: { type: 'integer' } } },
          query: {
            type: 'object',
            properties: { n: { type: 'integer', minimum: 1, default: 7 } },
            additionalProperties: false,
          },
          body,
        },
      },
      'PUT /unchecked': { validateInput: false, schemas: { body } },
      'PUT /any': {},
    },
  });
  const gateway = fakeGateway([module]);

  it('lists everything that is wrong, in params, query and body', async () => {
    const problem = await problemOf(gateway.request('/api/v1/demo/x?n=0&m=1', post('{"email": 1, "extra": true}')));
    expect(problem).toMatchObject({ code: 'INVALID_INPUT', status: 422, detail: '5 values are not valid.' });
    expect(problem.errors).toEqual([
      { path: '/params/room', message: 'must be a whole number' },
      { path: '/query/n', message: 'must be at least 1' },
      { path: '/query/m', message: 'is not an allowed name; allowed are n' },
      { path: '/body/email', message: 'must be text' },
      { path: '/body/extra', message: 'is not an allowed name; allowed are email and level' },
    ]);
  });

  it('gives the module converted values, filled-in defaults, and the text that was checked', async () => {
    const response = await gateway.request('/api/v1/demo/5', post('{ "email": "a@b.example" }'));
    expect(response.status).toBe(200);
    const call = module.calls.at(-1);
    expect({ ...call?.request.params }).toEqual({ room: 5 });
    expect({ ...call?.request.query }).toEqual({ n: 7 });
    expect(call?.options.body).toEqual({ kind: 'text', text: '{"email":"a@b.example","level":3}' });
  });

  it('gives the module the client’s own bytes when nothing was filled in', async () => {
    const text = '{ "email":"a@b.example", "level" : 1, "level" : 2 }';
    await gateway.request('/api/v1/demo/5', post(text));
    expect(module.calls.at(-1)?.options.body).toEqual({ kind: 'text', text });
  });

  it('wants a body where one is declared', async () => {
    const problem = await problemOf(gateway.request('/api/v1/demo/5', { method: 'POST' }));
    expect(problem.errors).toEqual([{ path: '/body', message: 'is required' }]);
  });

  it.each([
    ['{"email": x}', 'line 1, column 11'],
    ['{"email":\n  "a",}', 'line 2, column 7'],
    ['{"email"', 'line 1, column 9'],
    ['', 'required'],
    ['\u0000', 'line 1, column 1'],
    ['{"a":1} trailing', 'line 1, column 9'],
    [`${'['.repeat(500)}`, 'line 1, column 501'],
  ])('says where %j breaks', async (text, expected) => {
    const problem = await problemOf(gateway.request('/api/v1/demo/5', post(text)));
    expect([400, 422]).toContain(problem.status);
    expect(JSON.stringify(problem)).toContain(expected);
  });

  it.each([
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'application/json'],
    ['in another charset', '{}', 'application/json; charset=utf-16'],
    ['of another type', 'email=a', 'application/x-www-form-urlencoded'],
    ['without a type', new Uint8Array([1]), undefined],
  ])('refuses a body that is %s', async (_name, sent, type) => {
    const problem = await problemOf(
      gateway.request('/api/v1/demo/5', post(sent, type === undefined ? {} : { 'content-type': type })),
    );
    expect(problem).toMatchObject({ code: 'MALFORMED_BODY', status: 400 });
  });

  it.each(['application/json;charset=UTF-8', 'application/vnd.api+json', 'Application/JSON'])(
    'takes %s',
    async (type) => {
      const response = await gateway.request(
        '/api/v1/demo/5',
        post('\ufeff{"email":"a@b.example"}', { 'content-type': type }),
      );
      expect(response.status).toBe(200);
    },
  );

  it('leaves everything to a module that checks its input itself', async () => {
    expect((await gateway.request('/api/v1/demo/unchecked?n=x', { ...post('{broken'), method: 'PUT' })).status).toBe(
      200,
    );
    expect(module.calls.at(-1)?.options.body).toEqual({ kind: 'text', text: '{broken' });
  });

  it('is not confused by names of prototypes', async () => {
    const problem = await problemOf(gateway.request('/api/v1/demo/5', post('{"__proto__": {"email": "a@b.example"}}')));
    expect(problem.errors).toEqual([
      { path: '/body/email', message: 'is required' },
      { path: '/body/__proto__', message: 'is not an allowed name; allowed are email and level' },
    ]);
    expect(({} as Record<string, unknown>).email).toBeUndefined();
  });

  it('refuses what is nested absurdly deep instead of falling over', async () => {
    const deep = `{"email":"a@b.example","extra":${'['.repeat(400)}${']'.repeat(400)}}`;
    expect((await gateway.request('/api/v1/demo/5', post(deep))).status).toBe(422);
  });
});

describe('body limit', () => {
  const gateway = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'POST /': {} } })]);

  it('refuses by what the client announces', async () => {
    const { body, pull } = watchedBody();
    const headers = { 'content-type': 'application/json', 'content-length': String(LIMITS.bodyBytes + 1) };
    expect(await problemOf(gateway.request('/api/v1/demo', post(body, headers)))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      status: 413,
    });
    expect(pull).not.toHaveBeenCalled();
  });

  it('refuses while it reads', async () => {
    const problem = await problemOf(
      gateway.request('/api/v1/demo', post(JSON.stringify('x'.repeat(LIMITS.bodyBytes)))),
    );
    expect(problem).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', detail: 'The body may have at most 1000 bytes.' });
  });
});

describe('errors', () => {
  it.each([
    ['MODULE_CRASHED', 503],
    ['MODULE_OVERLOADED', 503],
    ['MODULE_TIMEOUT', 504],
    ['MODULE_UNAVAILABLE', 503],
    ['MODULE_ERROR', 500],
    ['INVALID_MODULE_RESPONSE', 502],
  ] as const)('%s keeps its code and status %i', async (code, status) => {
    const app = fakeGateway([
      fakeModule({ manifest: OPEN, endpoints: { 'GET /': { run: failure(code, 'because') } } }),
    ]);
    const problem = await problemOf(app.request('/api/v1/demo'));
    expect(problem).toMatchObject({
      code,
      status,
      type: `urn:plexichat:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    });
    if (status === 503 || status === 504) expect(problem.headers['retry-after']).toBeDefined();
  });

  it('lets a module choose its own status and words', async () => {
    const run = failure('MODULE_HTTP_ERROR', 'City not found', { status: 404 });
    const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': { run } } })]);
    expect(await problemOf(app.request('/api/v1/demo'))).toMatchObject({
      code: 'MODULE_HTTP_ERROR',
      status: 404,
      detail: 'City not found',
    });
  });

  it('tells the log what it does not tell the client', async () => {
    const answered: Answered[] = [];
    const secret = new Error('password hunter2 at /srv/host.ts');
    const app = fakeGateway(
      [
        fakeModule({
          manifest: OPEN,
          endpoints: {
            'GET /bug': { run: () => Promise.reject(secret) },
            'GET /module': { run: failure('MODULE_ERROR', 'TypeError: hunter2') },
          },
        }),
      ],
      { onAnswer: (answer) => answered.push(answer) },
    );
    const bug = await problemOf(app.request('/api/v1/demo/bug'));
    expect(bug).toMatchObject({ code: 'INTERNAL', status: 500 });
    expect(JSON.stringify(bug)).not.toContain('hunter2');
    expect(JSON.stringify(await problemOf(app.request('/api/v1/demo/module')))).not.toContain('hunter2');
    expect(answered.map(({ error, module, handler, status }) => ({ error, module, handler, status }))).toEqual([
      { error: secret, module: 'demo', handler: 'GET /bug', status: 500 },
      {
        error: expect.objectContaining({ message: 'TypeError: hunter2' }),
        module: 'demo',
        handler: 'GET /module',
        status: 500,
      },
    ]);
    expect(answered[0]?.requestId).toBe(bug.requestId);
  });

  it('sheds load when too much is under way', async () => {
    const gate = Promise.withResolvers<void>();
    const app = fakeGateway(
      [fakeModule({ manifest: OPEN, endpoints: { 'GET /': { run: () => gate.promise.then(() => json(1)) } } })],
      { limits: { ...LIMITS, maxInflight: 2 } },
    );
    const first = [app.request('/api/v1/demo'), app.request('/api/v1/demo')];
    const shed = await problemOf(app.request('/api/v1/demo'));
    expect(shed).toMatchObject({ code: 'HOST_SHEDDING', status: 503 });
    expect(shed.headers['retry-after']).toBe('1');
    gate.resolve();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await app.request('/api/v1/demo')).status).toBe(200);
  });

  it('name the request by the client’s id when it is harmless', async () => {
    const app = fakeGateway([]);
    const idFor = async (presented: string) =>
      (await problemOf(app.request('/nope', { headers: { 'x-request-id': presented } }))).requestId;
    expect(await idFor('trace_0123-abc')).toBe('trace_0123-abc');
    for (const bad of ['short', 'x'.repeat(65), 'a b c d e f g', '<script>alert</script>']) {
      expect(await idFor(bad)).toMatch(/^[A-Za-z0-9_-]{15,}$/);
      expect(await idFor(bad)).not.toBe(bad);
    }
  });
});

describe('what a module gets', () => {
  it('no credential, cookie, hop-by-hop or proxy header', async () => {
    const module = fakeModule({ endpoints: { 'GET /': {} } });
    await fakeGateway([module]).request('/api/v1/demo?a=1&a=2', {
      headers: {
        ...(await bearer()),
        cookie: 'session=1',
        'proxy-authorization': 'x',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'evil',
        forwarded: 'for=1.2.3.4',
        'x-real-ip': '1.2.3.4',
        te: 'trailers',
        connection: 'close, X-Hop',
        'x-hop': '1',
        'X-Custom': 'kept',
        accept: 'text/plain',
      },
    });
    const request = module.calls[0]?.request;
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({ 'x-custom': 'kept', accept: 'text/plain' });
    expect(request).toMatchObject({
      handler: 'GET /',
      method: 'GET',
      url: 'http://localhost/api/v1/demo?a=1&a=2',
      query: { a: ['1', '2'] },
    });
  });

  it('a deadline: its own, the module’s, or the host’s, whichever is first', async () => {
    const module = fakeModule({
      manifest: { ...OPEN, runtime: { timeout: 30 } },
      endpoints: { 'GET /a': {}, 'GET /b': { timeout: 2 }, 'GET /c': { timeout: 3600 } },
    });
    const app = fakeGateway([module], { now: () => 1_000_000 });
    for (const path of ['a', 'b', 'c']) await app.request(`/api/v1/demo/${path}`);
    expect(module.calls.map(({ request }) => request.deadline - 1_000_000)).toEqual([30_000, 2000, 60_000]);
  });

  it('the client’s signal', async () => {
    const module = fakeModule({ manifest: OPEN, endpoints: { 'GET /': {} } });
    const client = new AbortController();
    await fakeGateway([module]).request('/api/v1/demo', { signal: client.signal });
    client.abort();
    expect(module.calls[0]?.options.signal?.aborted).toBe(true);
  });
});
