/** A module that plays with its answers, in a real cell, read byte by byte: no header, no answer and no page of its making. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type RawAnswer } from '../support/raw-http.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const MODULE = `
import { BaseModule, HttpError, moduleEndpoint } from '@plexichat/sdk';

const NEXT = '\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nSet-Cookie: stolen=1\\r\\nContent-Length: 4\\r\\n\\r\\nevil';

export default class Trickster extends BaseModule {
  @moduleEndpoint('POST /raw', { permissions: [] })
  raw({ body }) {
    const { status, headers, text } = body;
    return new Response(text ?? 'body', { status: status ?? 200, headers });
  }

  @moduleEndpoint('POST /forge', { permissions: [] })
  forge({ body }) {
    const pairs = body.pairs;
    const headers = new Headers();
    headers.entries = headers[Symbol.iterator] = headers.forEach = function* () { yield* pairs; };
    const response = new Response('body');
    Object.defineProperty(response, 'headers', { value: headers });
    if (body.status !== undefined) Object.defineProperty(response, 'status', { value: body.status });
    return response;
  }

  @moduleEndpoint('POST /refuse', { permissions: [] })
  refuse({ body }) {
    throw new HttpError(body.status, body.message, { headers: body.headers ?? {} });
  }

  @moduleEndpoint('GET /next', { permissions: [] })
  next() {
    return new Response(NEXT, { headers: { 'content-type': 'text/plain' } });
  }

  @moduleEndpoint('GET /chunks', { permissions: [] })
  chunks() {
    const pieces = ['0\\r\\n\\r\\n', NEXT, '\\r\\n0\\r\\n\\r\\n', ''];
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(encoder.encode(piece));
        },
      }),
    );
  }

  @moduleEndpoint('GET /page', { permissions: [] })
  page({ query }) {
    return new Response('<script>alert(document.domain)</script>', { headers: { 'content-type': query.type } });
  }
}
`;

let host: TestHost;
let port = 0;
let token = '';
beforeAll(async () => {
  host = await startTestHost({
    files: {
      'trickster/config.yaml': 'module_name: trickster\nmodule_version: 1.0.0\napi: { rate_limit: 100000 }\n',
      'trickster/module.ts': MODULE.replaceAll('({ body })', '({ body }: any)').replaceAll(
        '({ query })',
        '({ query }: any)',
      ),
    },
  });
  port = Number(new URL(host.url).port);
  token = await host.token();
});
afterAll(() => host.close());

/** Two requests on one connection: whatever the first is answered, the second is answered with what belongs to it. */
async function ask(method: string, path: string, body?: unknown): Promise<RawAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const length =
    body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
  const request = `${method} /api/v1/trickster${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${length}\r\n${text}`;
  const last = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const { answers } = await exchange(port, Buffer.from(request + last), { quietMs: 20_000 });
  expect(answers).toHaveLength(2);
  expect(answers[1]).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  return answers[0] as RawAnswer;
}

const OURS = new Set([
  ...[
    'content-type',
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'date',
    'vary',
    'cache-control',
  ],
  ...[
    'x-request-id',
    'x-content-type-options',
    'ratelimit',
    'ratelimit-policy',
    'content-security-policy',
    'referrer-policy',
  ],
]);

function expectNothingForged({ headers }: RawAnswer, ...allowed: string[]): void {
  expect(Object.keys(headers).filter((name) => !OURS.has(name) && !allowed.includes(name))).toEqual([]);
  expect(headers['x-request-id']).toMatch(/^[\w-]{8,64}$/);
  expect(headers['x-content-type-options']).toBe('nosniff');
}

describe('a header of a module’s answer', () => {
  it('that is for modules to set arrives', async () => {
    expect((await ask('POST', '/forge', { pairs: [['X-Module-A', 'b']] })).headers['x-module-a']).toBe('b');
  });

  it.each([
    ['x-module-a', 'b\r\nset-cookie: stolen=1'],
    ['x-module-a', 'b\nset-cookie: stolen=1'],
    ['x-module-a', 'b\rset-cookie: stolen=1'],
    ['x-module-a', 'b\u0000c'],
    ['x-module-a', 'b\u010d\u010aset-cookie: stolen=1'],
    ['x-module-a', '\u{1f600}'],
    ['x-module-a', '\u007f'],
    ['content-type', 'text/html\r\n\r\n<script>'],
    ['content-type', 'text/html, application/json'],
    ['location', 'javascript:alert(1)'],
    ['location', 'data:text/html,x'],
    ['location', '/a\r\nset-cookie: stolen=1'],
    ['etag', '"a"\r\nx: y'],
    ['etag', 'no quotes'],
  ])('that would be more than one is a failure of the module: %j: %j', async (name, value) => {
    const answer = await ask('POST', '/forge', { pairs: [[name, value]] });
    expect([500, 502]).toContain(answer.status);
    expectNothingForged(answer);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  it.each([
    ...[
      'Set-Cookie',
      'Set-Cookie2',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Keep-Alive',
      'Upgrade',
      'Trailer',
      'TE',
    ],
    ...[
      'Content-Security-Policy',
      'Strict-Transport-Security',
      'X-Frame-Options',
      'X-Content-Type-Options',
      'Referrer-Policy',
    ],
    ...[
      'Access-Control-Allow-Origin',
      'Access-Control-Allow-Credentials',
      'Cross-Origin-Opener-Policy',
      'Clear-Site-Data',
    ],
    ...[
      'Refresh',
      'Alt-Svc',
      'Service-Worker-Allowed',
      'SourceMap',
      'X-Request-Id',
      'X-Cache',
      'RateLimit',
      'RateLimit-Policy',
    ],
    ...[
      'WWW-Authenticate',
      'Proxy-Authenticate',
      'Authorization',
      'Date',
      'Age',
      'Server',
      'Via',
      'X-Accel-Redirect',
      'X-Sendfile',
    ],
    ...[
      'NEL',
      'Report-To',
      'Permissions-Policy',
      'Origin-Agent-Cluster',
      'X-Already-Sent',
      'X-Hono-Already-Sent',
      '__proto__',
      'constructor',
    ],
    ...['X-Module-A\r\nSet-Cookie', 'X Module', 'X-Module-', 'x-module-ä', ':status', ''],
  ])('that is not for modules to set is dropped, and nothing of it arrives: %j', async (name) => {
    const answer = await ask('POST', '/forge', {
      pairs: [
        ['content-type', 'text/plain'],
        [name, 'forged'],
        [name, 'forged-too'],
      ],
    });
    expect([200, 500, 502]).toContain(answer.status);
    expectNothingForged(answer);
    expect(JSON.stringify(answer.headers)).not.toContain('forged');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it('is bounded, in number and in size', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => [`x-module-${index}`, 'a']);
    expect((await ask('POST', '/forge', { pairs: many })).status).toBe(502);
    expect((await ask('POST', '/forge', { pairs: [['x-module-a', 'a'.repeat(40_000)]] })).status).toBe(502);
  });

  it('of its refusals passes the same list, and its words are data', async () => {
    const message = 'no"}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<script>\u0000\ud800';
    const answer = await ask('POST', '/refuse', {
      status: 418,
      message,
      headers: { 'set-cookie': 'a=b', 'content-type': 'text/html', 'content-length': '0', 'x-module-why': 'tea' },
    });
    expect(answer.status).toBe(418);
    expectNothingForged(answer, 'x-module-why');
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'MODULE_HTTP_ERROR', status: 418 });
  });
});

describe('a status of a module’s answer', () => {
  it.each([0, 1, 99, 100, 101, 102, 103, 199, 600, 999, -200, 200.5, 1e9])('%d is none', async (status) => {
    const answer = await ask('POST', '/forge', { pairs: [], status });
    expect([500, 502]).toContain(answer.status);
    expectNothingForged(answer);
  });

  it.each(['200 OK\r\nX: y', '101', null, {}, [200], true])(
    '%j makes of the answer a JSON value like any other',
    async (status) => {
      const answer = await ask('POST', '/forge', { pairs: [], status });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
      expectNothingForged(answer);
    },
  );

  it.each([204, 205, 304])('%d has no body, whatever the module sends along', async (status) => {
    const answer = await ask('POST', '/forge', { pairs: [['x-module-a', 'b']], status });
    expect([answer.status, answer.body]).toEqual([status, '']);
  });

  it.each([0, 100, 101, 200, 302, 600, 1000, -1])('%d is none of an HttpError', async (status) => {
    const answer = await ask('POST', '/refuse', { status, message: 'x' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(600);
    expectNothingForged(answer);
  });
});

describe('a body of a module’s answer', () => {
  it('is a body, also when it looks like the next answer', async () => {
    const answer = await ask('GET', '/next');
    expect(answer.body).toContain('Set-Cookie: stolen=1');
    expectNothingForged(answer);
  });

  it('in chunks is a body, also when it looks like the end of the chunks', async () => {
    const answer = await ask('GET', '/chunks');
    expect(answer.body).toBe(
      '0\r\n\r\n\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: stolen=1\r\nContent-Length: 4\r\n\r\nevil\r\n0\r\n\r\n',
    );
  });

  it.each([
    'text/html',
    'text/html;charset=utf-7',
    'TEXT/HTML',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'application/pdf',
    'multipart/x-mixed-replace; boundary=x',
    'text/javascript',
    'x/y',
  ])('of type %s runs in no origin', async (type) => {
    const { headers } = await ask('GET', `/page?type=${encodeURIComponent(type)}`);
    expect(headers['content-security-policy']).toMatch(/^sandbox\b(?!.*allow-same-origin)/);
  });

  it('is longer or shorter than it says without harm: the length is ours', async () => {
    for (const length of ['0', '3', '4000']) {
      const answer = await ask('POST', '/raw', {
        headers: { 'content-length': length, 'x-module-a': 'b' },
        text: 'four',
      });
      expect(answer.body).toBe('four');
    }
  });
});
