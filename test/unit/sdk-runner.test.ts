import { createRunner, type ModuleRunner } from '@plexichat/sdk/module/runner';
import { DeclarationSchema } from '@plexichat/sdk/protocol/declaration';
import { type BodyRef, type EndpointRequest, OutcomeSchema } from '@plexichat/sdk/protocol/invocation';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { createFakeHost, readStream, streamOf } from '../../sdk/testing/fake-host.ts';
import { loadAuthorCode } from '../support/author-module.ts';

const HEAD = `import { BaseModule, HttpError, moduleEndpoint, moduleEvent, modulePage, moduleTask, Type } from '@plexichat/sdk';`;

function manifestOf(config: object = {}): Manifest {
  return Value.Default(ManifestSchema, { module_name: 'weather', module_version: '1.2.3', ...config }) as Manifest;
}

async function start(body: string, config: object = {}) {
  const host = createFakeHost({});
  const namespace = await loadAuthorCode(`${HEAD}\n${body}`);
  const runner = createRunner(namespace, manifestOf(config), host.binding);
  return { host, runner, instanceOf: namespace };
}

function requestFor(handler: string, more: Partial<EndpointRequest> = {}): EndpointRequest {
  const [method = 'GET', path = '/'] = handler.split(' ');
  return {
    invocation: 1,
    handler,
    method,
    url: `http://127.0.0.1:8080/api/v1/weather${path}`,
    headers: [],
    params: {},
    query: {},
    user: null,
    requestId: 'r1',
    deadline: 0,
    ...more,
  };
}

const NONE: BodyRef = { kind: 'none' };

async function outcomeOf(
  runner: ModuleRunner,
  handler: string,
  more: Partial<EndpointRequest> = {},
  body: BodyRef = NONE,
) {
  const outcome = await runner.invoke(requestFor(handler, more), body);
  expect(Value.Check(OutcomeSchema, outcome)).toBe(true);
  return outcome;
}

describe('what a module declares', () => {
  it('comes from decorators and router, with defaults, and passes the host’s schema', async () => {
    const { runner } = await start(`
      export default class Weather extends BaseModule {
        @moduleEndpoint('GET /weather/:city', { permissions: ['read'], rateLimit: 30, userTiers: ['premium'], cacheTtl: 300,
          params: Type.Object({ city: Type.String({ maxLength: 80 }) }) })
        get({ params }) { return params; }
        @moduleTask({ schedule: '0 */6 * * *', retryCount: 3, priority: 'high' }) async refresh() {}
        @moduleTask() async other() {}
        @moduleEvent('user.login') async onLogin() {}
        @modulePage('/dashboard', { title: 'Weather' }) async dashboard() {}
        setupRoutes() { this.router.post('/action', { rateLimit: 10 }, () => ({ ok: true })); }
      }`);
    expect(Value.Check(DeclarationSchema, runner.declaration)).toBe(true);
    expect(runner.declaration.endpoints[0]).toEqual({
      handler: 'GET /weather/:city',
      method: 'GET',
      path: '/weather/:city',
      permissions: ['read'],
      userTiers: ['premium'],
      rateLimit: 30,
      cacheTtl: 300,
      validateInput: true,
      schemas: {
        params: { type: 'object', required: ['city'], properties: { city: { type: 'string', maxLength: 80 } } },
      },
    });
    expect(runner.declaration.endpoints[1]?.handler).toBe('POST /action');
    expect(runner.declaration.tasks).toEqual([
      {
        name: 'refresh',
        schedule: '0 */6 * * *',
        retryCount: 3,
        timeout: 300,
        priority: 'high',
        overlap: 'skip',
        missed: 'skip',
      },
      {
        name: 'other',
        schedule: '*/5 * * * *',
        retryCount: 0,
        timeout: 300,
        priority: 'normal',
        overlap: 'skip',
        missed: 'skip',
      },
    ]);
    expect(runner.declaration.events).toEqual([{ handler: 'onLogin', pattern: 'user.login' }]);
    expect(runner.declaration.pages).toEqual([{ handler: 'dashboard', path: '/dashboard', title: 'Weather' }]);
  });

  it('includes what a parent class declares, and runs the method that the subclass overrides', async () => {
    const { runner } = await start(`
      class Base extends BaseModule {
        @moduleEndpoint('GET /a') a() { return 'base a'; }
        @moduleEndpoint('GET /b') b() { return 'base b'; }
      }
      export default class Child extends Base {
        b() { return 'child b'; }
        @moduleEndpoint('GET /c') c() { return super.a(); }
      }`);
    expect(runner.declaration.endpoints.map((each) => each.handler)).toEqual(['GET /a', 'GET /b', 'GET /c']);
    expect(await outcomeOf(runner, 'GET /b')).toMatchObject({ body: { text: '"child b"' } });
    expect(await outcomeOf(runner, 'GET /c')).toMatchObject({ body: { text: '"base a"' } });
  });

  it('does not leak from a subclass into its parent or sibling', async () => {
    const { runner } = await start(`
      class Base extends BaseModule { @moduleEndpoint('GET /a') a() {} }
      class Other extends Base { @moduleEndpoint('GET /other') other() {} }
      export default class Child extends Base {}`);
    expect(runner.declaration.endpoints.map((each) => each.handler)).toEqual(['GET /a']);
  });

  it.each([
    [
      'two methods with one route',
      `@moduleEndpoint('GET /a') one() {} @moduleEndpoint('GET /a') two() {}`,
      /M\.two and M\.one both serve "GET \/a"/,
    ],
    ['a route without a method', `@moduleEndpoint('/a') one() {}`, /M\.one: "\/a" is no route.*METHOD \/path/],
    ['a star in the middle', `@moduleEndpoint('GET /a/*/b') one() {}`, /M\.one: "\*" must be the whole last part/],
    [
      'a parameter that comes twice',
      `@moduleEndpoint('GET /:a/:a') one() {}`,
      /M\.one: the parameter ":a" comes twice/,
    ],
    [
      'an unknown option',
      `@moduleEndpoint('GET /a', { rate_limit: 3 }) one() {}`,
      /M\.one: the option "rate_limit" does not exist; allowed are permissions/,
    ],
    ['a static method', `@moduleEndpoint('GET /a') static one() {}`, /@moduleEndpoint on one: the method is static/],
    ['a private method', `@moduleTask() #one() {}`, /@moduleTask on #one: the method is private/],
    ['a field that hides the method', `one = 5; @moduleEndpoint('GET /a') one() {}`, /M\.one is marked as a handler/],
    ['a route that throws', `setupRoutes() { throw new Error('boom'); }`, /M\.setupRoutes\(\) failed: Error: boom/],
    ['an async setupRoutes', `async setupRoutes() {}`, /must not be async/],
    ['a constructor that throws', `constructor() { super(); throw new Error('no'); }`, /new M\(\) failed: Error: no/],
    [
      'a router handler that is no function',
      `setupRoutes() { this.router.get('/a', {}); }`,
      /router\.get\('\/a', …\): the last argument must be the handler/,
    ],
  ])('is refused with %s, and the message says where and how to mend it', async (_name, body, message) => {
    await expect(start(`export default class M extends BaseModule { ${body} }`)).rejects.toThrow(message);
  });

  it.each([
    ['nothing', 'export const a = 1;', /default export must be a class that extends BaseModule, but there is none/],
    ['an object', 'export default {};', /but it is of type object/],
    ['another class', 'export default class Foo {}', /Foo does not extend BaseModule/],
  ])('needs a module class as the default export, not %s', async (_name, body, message) => {
    await expect(start(body)).rejects.toThrow(message);
  });

  it('recognises a BaseModule of another copy of the sdk by its shape', async () => {
    const { default: Foreign } = await loadAuthorCode(
      `export default class Foreign { static [Symbol.for('plexichat.module')] = 1; setupRoutes() {} }`,
    );
    expect(createRunner({ default: Foreign }, manifestOf(), createFakeHost({}).binding).declaration.endpoints).toEqual(
      [],
    );
  });
});

describe('the life of a module', () => {
  it('has config, logger, router and http in its constructor', async () => {
    const { runner } = await start(
      `
      export default class M extends BaseModule {
        constructor() {
          super();
          const { config } = this;
          this.seen = [config.moduleVersion, config.module_version, config.settings.city, config.api.rateLimit, config.api.rate_limit,
            typeof this.http.fetch, typeof this.logger.info, Object.isFrozen(config.settings)];
          this.router.get('/seen', () => this.seen);
        }
      }`,
      { settings: { city: 'Bonn' } },
    );
    expect(await outcomeOf(runner, 'GET /seen')).toMatchObject({
      body: { text: JSON.stringify(['1.2.3', '1.2.3', 'Bonn', 100, 100, 'function', 'function', true]) },
    });
  });

  it('checks the settings before it initializes, and names the step that failed', async () => {
    const { runner } = await start(`
      export default class M extends BaseModule {
        validateConfig() { if (!this.config.settings.api_key) throw new Error('api_key is missing'); }
        initialize() { throw new Error('must not run'); }
      }`);
    await expect(runner.initialize()).rejects.toThrow('M.validateConfig() failed: Error: api_key is missing');
  });

  it('cannot be constructed by hand', async () => {
    const { default: Module } = await loadAuthorCode(`${HEAD} export default class M extends BaseModule {}`);
    expect(() => new (Module as new () => object)()).toThrow(/new M\(\) was called by hand.*createModuleHarness/);
  });

  it('logs from its level on', async () => {
    const { host, runner } = await start(
      `
      export default class M extends BaseModule {
        initialize() { this.logger.debug('d'); this.logger.info('i'); this.logger.warn('w', { a: 1 }); this.logger.error('e'); }
      }`,
      { settings: { log_level: 'WARNING' } },
    );
    await runner.initialize();
    expect(host.logged).toEqual([
      { level: 'warn', message: 'w', fields: { a: 1 } },
      { level: 'error', message: 'e' },
    ]);
  });
});

describe('the answer of a handler', () => {
  const answers = async (code: string, body: BodyRef = NONE, more: Partial<EndpointRequest> = {}) => {
    const { host, runner } = await start(
      `export default class M extends BaseModule { @moduleEndpoint('POST /a') ${code} }`,
    );
    return { host, runner, outcome: await outcomeOf(runner, 'POST /a', more, body) };
  };

  it('is JSON 200 for a value and 204 for undefined', async () => {
    expect((await answers('run() { return { a: [1, null] }; }')).outcome).toEqual({
      ok: true,
      status: 200,
      headers: [['content-type', 'application/json']],
      body: { kind: 'text', text: '{"a":[1,null]}' },
    });
    expect((await answers('async run() {}')).outcome).toEqual({
      ok: true,
      status: 204,
      headers: [],
      body: { kind: 'none' },
    });
    expect((await answers('run() { return null; }')).outcome).toMatchObject({ status: 200, body: { text: 'null' } });
  });

  it('is JSON even when a plain value has a status', async () => {
    expect((await answers(`run() { return { status: 500, headers: {} }; }`)).outcome).toMatchObject({ status: 200 });
  });

  it('is a Response with its status, headers and bytes', async () => {
    const { outcome, host } = await answers(
      `run(ctx) { return new Response('hällo', { status: 201, headers: { 'X-A': 'b' } }); }`,
    );
    expect(outcome).toMatchObject({
      ok: true,
      status: 201,
      headers: [
        ['content-type', 'text/plain;charset=UTF-8'],
        ['x-a', 'b'],
      ],
    });
    if (!outcome.ok || outcome.body.kind !== 'stream') throw new Error('Node’s Response is streamed');
    expect(new TextDecoder().decode(await readStream(host.takeStream(outcome.body.stream)))).toBe('hällo');
  });

  it('streams text that is too long for a frame, byte for byte', async () => {
    const { outcome, host } = await answers(`run() { return '😀ä'.repeat(200_000); }`);
    if (!outcome.ok || outcome.body.kind !== 'stream') throw new Error('not streamed');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      await readStream(host.takeStream(outcome.body.stream)),
    );
    expect(JSON.parse(text)).toBe('😀ä'.repeat(200_000));
  });

  it.each([
    [
      'a BigInt',
      `({ items: [{ count: 1n }] })`,
      'M.run returned a BigInt at items[0].count, which JSON does not know: use a number or a string.',
    ],
    [
      'a cycle',
      `(() => { const a = { b: {} }; a.b.c = a; return a; })()`,
      'M.run returned a value that contains itself at b.c.',
    ],
    ['a function', `(() => 1)`, 'M.run returned a function, which is not JSON.'],
    ['a symbol', `Symbol('x')`, 'M.run returned a symbol, which is not JSON.'],
    ['an error response', `Response.error()`, 'M.run returned a Response with status 0; allowed is 200 to 599.'],
  ])('is refused when it is %s, and says why', async (_name, value, message) => {
    expect((await answers(`run() { return ${value}; }`)).outcome).toEqual({
      ok: false,
      code: 'INVALID_MODULE_RESPONSE',
      message,
    });
  });

  it('is refused when the Response was read already', async () => {
    const { outcome } = await answers(`async run() { const r = new Response('x'); await r.text(); return r; }`);
    expect(outcome).toMatchObject({
      code: 'INVALID_MODULE_RESPONSE',
      message: expect.stringContaining('read already'),
    });
  });

  it('keeps the status, message and headers of an HttpError', async () => {
    const { outcome } = await answers(
      `async run() { throw new HttpError(429, 'Slow down', { headers: { 'Retry-After': '7' } }); }`,
    );
    expect(outcome).toEqual({
      ok: false,
      code: 'MODULE_HTTP_ERROR',
      status: 429,
      message: 'Slow down',
      headers: [['retry-after', '7']],
    });
  });

  it.each([
    ['an Error', `throw new TypeError('oops')`, 'M.run failed: TypeError: oops'],
    ['a string', `throw 'oops'`, 'M.run failed: oops'],
    ['null', `throw null`, 'M.run failed: an object that is no Error was thrown'],
    ['a hostile object', `throw { get message() { throw 1; } }`, 'M.run failed: an error that cannot be read'],
    [
      'a proxy that throws',
      `throw new Proxy({}, { has() { throw 1; }, get() { throw 1; } })`,
      'M.run failed with an error that cannot be read.',
    ],
  ])('is MODULE_ERROR when it throws %s', async (_name, code, message) => {
    expect((await answers(`run() { ${code}; }`)).outcome).toMatchObject({ ok: false, code: 'MODULE_ERROR', message });
  });

  it('has no stack unless the host diagnoses', async () => {
    const host = createFakeHost({});
    const namespace = await loadAuthorCode(
      `${HEAD} export default class M extends BaseModule { @moduleEndpoint('GET /a') a() { throw new Error('x'); } }`,
    );
    const quiet = createRunner(namespace, manifestOf(), { ...host.binding, settingsDebug: false });
    expect(await outcomeOf(quiet, 'GET /a')).not.toHaveProperty('stack');
    expect(await outcomeOf(createRunner(namespace, manifestOf(), host.binding), 'GET /a')).toHaveProperty('stack');
  });

  it('is an error for a handler that does not exist', async () => {
    const { runner } = await start('export default class M extends BaseModule {}');
    expect(await outcomeOf(runner, 'GET /nope')).toMatchObject({
      code: 'MODULE_ERROR',
      message: 'M has no handler "GET /nope".',
    });
  });
});

describe('the context of a handler', () => {
  const run = async (
    code: string,
    body: BodyRef = NONE,
    more: Partial<EndpointRequest> = {},
    host = createFakeHost({}),
  ) => {
    const namespace = await loadAuthorCode(
      `${HEAD} export default class M extends BaseModule { @moduleEndpoint('POST /a') ${code} }`,
    );
    const runner = createRunner(namespace, manifestOf(), host.binding);
    return { runner, outcome: await outcomeOf(runner, 'POST /a', more, body) };
  };

  it('gives params, query, user and request id', async () => {
    const user = { id: 'alice', tier: 'premium' as const, permissions: ['read'] };
    const { outcome } = await run(
      'run({ params, query, user, requestId }) { return { params, query, user, requestId }; }',
      NONE,
      {
        params: { id: 7 },
        query: { q: 'x' },
        user,
      },
    );
    expect(outcome.ok && outcome.body.kind === 'text' && JSON.parse(outcome.body.text)).toEqual({
      params: { id: 7 },
      query: { q: 'x' },
      user,
      requestId: 'r1',
    });
  });

  it('parses JSON on demand and keeps the original text', async () => {
    const { outcome } = await run(
      'async run(ctx) { return [ctx.body.a, ctx.body === ctx.body, await ctx.request.text()]; }',
      { kind: 'text', text: '{ "a":1 }' },
    );
    expect(outcome).toMatchObject({ body: { text: JSON.stringify([1, true, '{ "a":1 }']) } });
  });

  it('leaves text of another content type as text', async () => {
    const { outcome } = await run(
      'run(ctx) { return ctx.body; }',
      { kind: 'text', text: 'a=1' },
      {
        headers: [['content-type', 'application/x-www-form-urlencoded']],
      },
    );
    expect(outcome).toMatchObject({ body: { text: '"a=1"' } });
  });

  it('answers MALFORMED_BODY when a handler asks for JSON that is none', async () => {
    const { outcome } = await run('run(ctx) { return ctx.body.a; }', { kind: 'text', text: '{' });
    expect(outcome).toEqual({ ok: false, code: 'MALFORMED_BODY', message: 'The body is not valid JSON.' });
  });

  it('reads a streamed body as request', async () => {
    const host = createFakeHost({});
    const stream = host.offerStream(streamOf(new TextEncoder().encode('{"a":5}')));
    const { outcome } = await run(
      'async run({ request, body }) { return [body ?? "none", (await request.json()).a]; }',
      { kind: 'stream', stream },
      {},
      host,
    );
    expect(outcome).toMatchObject({ body: { text: '["none",5]' } });
  });

  it.each([
    ['never touched', 'run() { return 1; }'],
    ['touched, but not read', 'run({ request }) { return request.method.length; }'],
  ])('lets go of a streamed body that was %s', async (_name, code) => {
    const host = createFakeHost({});
    let cancelled = false;
    const stream = host.offerStream({
      read: () => new Promise(() => {}),
      cancel: () => {
        cancelled = true;
      },
    });
    await run(code, { kind: 'stream', stream }, {}, host);
    await expect.poll(() => cancelled).toBe(true);
  });

  it('aborts the signal on cancel, whether it was asked for before or after', async () => {
    const { runner } = await start(`
      export default class M extends BaseModule {
        @moduleEndpoint('GET /before') before({ signal }) { return new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'))); }
        @moduleEndpoint('GET /after') async after(ctx) { await new Promise((go) => { this.go = go; }); return ctx.signal.aborted && ctx.request.signal.aborted; }
        @moduleEndpoint('GET /go') go1() { this.go(); }
      }`);
    const before = runner.invoke(requestFor('GET /before', { invocation: 5 }), NONE);
    expect(runner.cancel(5)).toBe(true);
    expect(await before).toMatchObject({ body: { text: '"aborted"' } });
    expect(runner.cancel(5)).toBe(false);
    const after = runner.invoke(requestFor('GET /after', { invocation: 6 }), NONE);
    runner.cancel(6);
    await runner.invoke(requestFor('GET /go', { invocation: 7 }), NONE);
    expect(await after).toMatchObject({ body: { text: 'true' } });
  });

  it('gives a mounted app the request with its path cut', async () => {
    const { host, runner } = await start(
      `
      export default class M extends BaseModule {
        setupRoutes() { this.router.mount('/v2', { fetch: async (r) => Response.json([r.method, new URL(r.url).pathname, new URL(r.url).search, await r.text()]) }); }
      }`,
      { api: { prefix: '/api/v1/weather' } },
    );
    expect(runner.declaration.endpoints).toHaveLength(5);
    const answerOf = async (rest: string) => {
      const outcome = await runner.invoke(requestFor('POST /v2/*', { url: `http://h/api/v1/weather${rest}` }), {
        kind: 'text',
        text: 'hi',
      });
      if (!outcome.ok || outcome.body.kind !== 'stream') throw new Error('no answer');
      return JSON.parse(new TextDecoder().decode(await readStream(host.takeStream(outcome.body.stream))));
    };
    expect(await answerOf('/v2/notes/1?x=2')).toEqual(['POST', '/notes/1', '?x=2', 'hi']);
    expect(await answerOf('/v2')).toEqual(['POST', '/', '', 'hi']);
  });
});
