import { describe, expect, it, vi } from 'vitest';
import type { Body, ModuleAnswer } from '../../runtime/modules/served-module.ts';
import { fakeGateway, fakeModule, json, jsonOf, LIMITS, OPEN } from '../support/fake-modules.ts';

const text = (value: string): Body => ({ kind: 'text', text: value });

async function answerTo(answer: Partial<ModuleAnswer>, response?: Record<string, unknown>) {
  const errors: unknown[] = [];
  const run = () => ({ status: 200, headers: [], body: text('hello'), ...answer });
  const schemas = response === undefined ? {} : { response };
  const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': { run, schemas } } })], {
    onAnswer: ({ error }) => errors.push(error),
  });
  const result = await app.request('/api/v1/demo');
  return { result, reason: errors[0] instanceof Error ? errors[0].message : undefined };
}

describe('headers of a module’s answer', () => {
  it('reach the client only when they are on the list', async () => {
    const { result } = await answerTo({
      headers: [
        ['Content-Type', 'text/plain'],
        ['Set-Cookie', 'session=stolen'],
        ['Content-Security-Policy', 'default-src *'],
        ['Access-Control-Allow-Origin', '*'],
        ['Strict-Transport-Security', 'max-age=0'],
        ['X-Request-Id', 'forged'],
        ['RateLimit', 'forged'],
        ['Content-Length', '5000'],
        ['Transfer-Encoding', 'chunked'],
        ['Connection', 'upgrade'],
        ['X-Content-Type-Options', 'sniff'],
        ['Server', 'module'],
        ['Cache-Control', 'no-cache'],
        ['Cache-Control', 'max-age=5'],
        ['X-Module-Build', '7'],
        ['Link', '</a>; rel=next'],
      ],
    });
    const { 'x-request-id': id, ...headers } = Object.fromEntries(result.headers);
    expect(id).not.toBe('forged');
    expect(headers).toEqual({
      'content-type': 'text/plain',
      'cache-control': 'no-cache, max-age=5',
      'x-module-build': '7',
      link: '</a>; rel=next',
      vary: 'authorization, x-api-key',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    ['a line break', [['x-module-a', 'a\r\nset-cookie: b']], 'not allowed'],
    ['NUL', [['etag', '"a\u0000"']], 'not allowed'],
    ['letters beyond latin1', [['content-disposition', 'attachment; filename=☃']], 'not allowed'],
    [
      'two content types',
      [
        ['content-type', 'text/plain'],
        ['Content-Type', 'text/html'],
      ],
      'twice',
    ],
    ['a content type that is none', [['content-type', 'html']], 'not a media type'],
    ['a script as location', [['location', 'javascript:alert(1)']], 'neither relative nor http(s)'],
    ['a data location', [['location', 'data:text/html,x']], 'neither relative nor http(s)'],
    ['an ETag without quotes', [['etag', 'abc']], 'quoted'],
    ['too many bytes', Array(9).fill(['x-module-a', 'x'.repeat(4000)]), 'more than 32768 bytes'],
  ] as [string, [string, string][], string][])('with %s make the answer invalid', async (_name, headers, reason) => {
    const { result, reason: logged } = await answerTo({ headers });
    expect(result.status).toBe(502);
    const problem = await jsonOf(result);
    expect(problem.code).toBe('INVALID_MODULE_RESPONSE');
    expect(logged).toContain(reason);
    expect(problem.detail).not.toContain(reason);
  });

  it.each(['/next', 'next?a=b', 'https://example.com/x', '//example.com/x'])('may point to %s', async (location) => {
    const { result } = await answerTo({ status: 302, headers: [['location', location]], body: { kind: 'none' } });
    expect([result.status, result.headers.get('location')]).toEqual([302, location]);
  });
});

describe('what a browser could render', () => {
  it.each([
    'text/html',
    'text/html; charset=utf-8',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/pdf',
    'TEXT/HTML',
    'multipart/x-mixed-replace; boundary=b',
    'text/anything-new',
  ])('%s runs in a sandbox', async (type) => {
    const { result } = await answerTo({ headers: [['content-type', type]] });
    expect(result.headers.get('content-security-policy')).toBe('sandbox allow-scripts allow-forms');
    expect(result.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is never guessed from bytes', async () => {
    const { result } = await answerTo({ body: text('<script>alert(1)</script>') });
    expect(result.headers.get('content-type')).toBe('application/octet-stream');
    expect(result.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('status and body', () => {
  it.each([199, 600, 200.5, Number.NaN, -1])('status %d is invalid', async (status) => {
    expect((await answerTo({ status })).result.status).toBe(502);
  });

  it.each([204, 205, 304])('%i has no body, and a stream is given up', async (status) => {
    const cancel = vi.fn();
    const stream = new ReadableStream<Uint8Array>({ cancel });
    const { result } = await answerTo({ status, body: { kind: 'stream', stream } });
    expect(result.status).toBe(status);
    expect(await result.text()).toBe('');
    expect(cancel).toHaveBeenCalled();
  });

  it('gives up the stream of an answer that is refused', async () => {
    const cancel = vi.fn();
    const stream = new ReadableStream<Uint8Array>({ cancel });
    await answerTo({ status: 999, body: { kind: 'stream', stream } });
    expect(cancel).toHaveBeenCalled();
  });
});

describe('a response schema', () => {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };

  it('is checked, and the detail is for the log', async () => {
    const good = await answerTo(json({ id: 1, more: true }), schema);
    expect(await good.result.json()).toEqual({ id: 1, more: true });
    const bad = await answerTo(json({ id: 'x' }), schema);
    expect(bad.result.status).toBe(502);
    expect(bad.reason).toBe('The answer does not match the response schema: /id must be a whole number.');
  });

  it('is checked for streams of JSON, up to a size', async () => {
    const stream = (value: unknown): Partial<ModuleAnswer> => ({
      headers: [['content-type', 'application/json']],
      body: { kind: 'stream', stream: new Blob([JSON.stringify(value)]).stream() },
    });
    expect(await (await answerTo(stream({ id: 1 }), schema)).result.json()).toEqual({ id: 1 });
    expect((await answerTo(stream({ id: 'x' }), schema)).result.status).toBe(502);
    expect((await answerTo(stream({ id: 1, pad: 'x'.repeat(5000) }), schema)).reason).toContain('too large');
  });

  it('gives every place back when a stream of JSON never ends', async () => {
    const endless = (): ModuleAnswer => ({
      status: 200,
      headers: [['content-type', 'application/json']],
      body: { kind: 'stream', stream: new ReadableStream({ pull: () => new Promise(() => {}) }) },
    });
    const module = fakeModule({
      manifest: OPEN,
      endpoints: {
        'GET /': { timeout: 0.02, schemas: { response: {} }, run: endless },
        'GET /kept': { timeout: 0.02, cacheTtl: 60, schemas: { response: {} }, run: endless },
        'GET /fine': {},
      },
    });
    const app = fakeGateway([module], { limits: { ...LIMITS, maxInflight: 4 } });
    const paths = ['', '', '/kept', '/kept'];
    const answers = await Promise.all(paths.map((path) => app.request(`/api/v1/demo${path}`)));
    expect(answers.map(({ status }) => status)).toEqual([504, 504, 504, 504]);
    expect((await app.request('/api/v1/demo/fine')).status).toBe(200);
  });

  it('says nothing about errors and other media types', async () => {
    expect((await answerTo(json({ error: true }, 404), schema)).result.status).toBe(404);
    expect((await answerTo({ headers: [['content-type', 'text/plain']] }, schema)).result.status).toBe(200);
  });

  it('refuses what says it is JSON and is not', async () => {
    expect((await answerTo({ headers: [['content-type', 'application/json']] }, schema)).result.status).toBe(502);
  });
});
