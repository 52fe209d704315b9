import { describe, expect, it } from 'vitest';
import { startCpuClock } from '../support/cpu-time.ts';
import { fakeDirectory, fakeGateway, fakeModule, jsonOf, OPEN } from '../support/fake-modules.ts';

interface Operation {
  readonly security?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: unknown;
}

const weather = () =>
  fakeModule({
    name: 'weather',
    manifest: { module_description: 'Weather <b>everywhere</b>' },
    endpoints: {
      'GET /': { summary: 'Says <script>alert(1)</script>' },
      'GET /city/:city/*': {
        permissions: ['read'],
        userTiers: ['premium'],
        rateLimit: 30,
        cacheTtl: 60,
        schemas: {
          params: { type: 'object', properties: { city: { type: 'string', maxLength: 80 } } },
          query: { type: 'object', required: ['day'], properties: { day: { type: 'integer' } } },
          response: { type: 'object' },
        },
      },
      'POST /city': { schemas: { body: { type: 'object', required: ['name'] } } },
    },
  });

describe('/openapi.json', () => {
  it('describes the endpoints of modules that take requests', async () => {
    const app = fakeGateway([weather(), fakeModule({ name: 'off', state: 'disabled', endpoints: { 'GET /': {} } })], {
      title: 'My chat',
    });
    const response = await app.request('/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json');
    const document = await jsonOf<Document>(response);
    expect(document).toMatchObject({ openapi: '3.1.1', info: { title: 'My chat' }, tags: [{ name: 'weather' }] });
    expect(Object.keys(document.paths)).toEqual([
      '/api/v1/weather',
      '/api/v1/weather/city/{city}/{rest}',
      '/api/v1/weather/city',
    ]);
    expect(document.paths['/api/v1/weather/city/{city}/{rest}']?.get).toMatchObject({
      parameters: [
        { name: 'city', in: 'path', required: true, schema: { type: 'string', maxLength: 80 } },
        { name: 'rest', in: 'path', required: true },
        { name: 'day', in: 'query', required: true, schema: { type: 'integer' } },
      ],
      security: [{ bearer: [] }, { apiKey: [] }],
      'x-plexi-permissions': ['read'],
      'x-plexi-tiers': ['premium'],
      'x-plexi-rate-limit-per-minute': 30,
      'x-plexi-cache-seconds': 60,
    });
    expect(document.paths['/api/v1/weather/city']?.post?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { type: 'object', required: ['name'] } } },
    });
    expect(document.paths['/api/v1/weather/city']?.post?.responses?.[422]).toEqual({
      $ref: '#/components/responses/Problem',
    });
    expect(document.components).toMatchObject({
      schemas: { Problem: { properties: { code: { enum: expect.arrayContaining(['MODULE_TIMEOUT']) } } } },
    });
  });

  it('says where no credential is needed', async () => {
    const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': {} } })]);
    const document = await jsonOf<Document>(app.request('/openapi.json'));
    expect(document.paths['/api/v1/demo']?.get?.security?.[0]).toEqual({});
  });

  it('follows the modules', async () => {
    const directory = fakeDirectory(weather());
    const app = fakeGateway(directory);
    const paths = async () => Object.keys((await jsonOf<Document>(app.request('/openapi.json'))).paths).length;
    expect(await paths()).toBe(3);
    const [module] = directory.modules;
    if (module !== undefined) module.state = 'parked';
    expect(await paths()).toBe(0);
  });
});

describe('/docs', () => {
  const app = fakeGateway([weather()]);

  it('is a page of its own, with a strict policy and nothing inline', async () => {
    const response = await app.request('/docs');
    expect(response.headers.get('content-type')).toContain('text/html');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const page = await response.text();
    expect(page).toContain('/api/v1/weather/city/{city}/{rest}');
    expect(page).not.toMatch(/<script(?! src="\/docs\/docs\.js")/);
    expect(page).not.toMatch(/ on[a-z]+=| style=|https?:\/\//);
  });

  it('is rendered once for each state of the modules, and cuts schemas that would fill it', async () => {
    const wide = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`name${at}`, {}])),
    };
    const endpoints = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [`POST /x${at}`, { schemas: { body: wide, response: wide } }]),
    );
    const app = fakeGateway([fakeModule({ name: 'wide', endpoints })]);
    const page = await (await app.request('/docs')).text();
    expect(page).toContain('the rest is in /openapi.json');
    expect(page.length).toBeLessThan(6_000_000);
    const cpuMs = startCpuClock();
    for (let count = 0; count < 50; count += 1) expect((await app.request('/docs')).status).toBe(200);
    expect(cpuMs()).toBeLessThan(3000);
  });

  it('escapes what modules say', async () => {
    const page = await (await app.request('/docs')).text();
    expect(page).toContain('Weather &lt;b&gt;everywhere&lt;/b&gt;');
    expect(page).toContain('Says &lt;script&gt;');
  });

  it.each([
    ['/docs/docs.css', 'text/css; charset=utf-8'],
    ['/docs/docs.js', 'text/javascript; charset=utf-8'],
  ])('serves %s', async (path, type) => {
    const response = await app.request(path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
  });
});

describe('the platform’s own paths', () => {
  it('/healthz says that the process answers', async () => {
    const response = await fakeGateway([]).request('/healthz');
    expect(await response.json()).toEqual({ status: 'ok' });
    expect(response.headers.get('x-request-id')).toBeTruthy();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('/readyz says whether to send traffic', async () => {
    const waiting = fakeGateway([], { ready: () => ({ ready: false, detail: '2 modules are starting' }) });
    const response = await waiting.request('/readyz');
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'not ready', detail: '2 modules are starting' },
    ]);
    expect((await fakeGateway([]).request('/readyz')).status).toBe(200);
  });

  it('can be more: what is mounted gets the same errors and headers', async () => {
    const errors: unknown[] = [];
    const app = fakeGateway([], {
      onError: (error) => errors.push(error),
      mount: (platform) => {
        platform.get('/metrics', (context) => context.text('up 1'));
        platform.get('/api/v1/tasks', () => {
          throw new Error('hunter2');
        });
      },
    });
    expect(await (await app.request('/metrics')).text()).toBe('up 1');
    const failed = await app.request('/api/v1/tasks');
    expect(await failed.json()).toMatchObject({ code: 'INTERNAL', requestId: failed.headers.get('x-request-id') });
    expect(errors).toEqual([expect.objectContaining({ message: 'hunter2' })]);
  });

  it('answer anything else with a problem', async () => {
    const response = await fakeGateway([]).request('/wp-admin');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', instance: '/wp-admin' });
  });
});
