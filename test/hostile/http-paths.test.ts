/** Paths that two readers could take for different ones: what decides and what serves must see the same. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serveGateway } from '../../runtime/gateway/serve.ts';
import { bearer, type FakeRequest, fakeGateway, fakeModule, json, OPEN } from '../support/fake-modules.ts';
import { exchange, readAnswers } from '../support/raw-http.ts';

const seen: { module: string; request: FakeRequest }[] = [];
const note = (module: string) => ({
  run: (request: FakeRequest) => {
    seen.push({ module, request });
    return json({ module, handler: request.handler });
  },
});
const ADMIN = { permissions: ['boss'] };

let serving: Serving;
beforeAll(async () => {
  const app = fakeGateway(
    [
      fakeModule({
        name: 'demo',
        manifest: OPEN,
        endpoints: {
          'GET /': note('demo'),
          'GET /admin': { ...note('demo'), ...ADMIN },
          'GET /admin/*': { ...note('demo'), ...ADMIN },
          'DELETE /open': { ...note('demo'), ...ADMIN },
          'GET /open': note('demo'),
          'POST /open': note('demo'),
          'GET /item/:id': note('demo'),
          'GET /item/:id/secret': { ...note('demo'), ...ADMIN },
        },
      }),
      fakeModule({ name: 'demo2', manifest: OPEN, endpoints: { 'GET /': note('demo2'), 'GET /*': note('demo2') } }),
      fakeModule({ name: 'closed', endpoints: { 'GET /': note('closed'), 'GET /*': note('closed') } }),
    ],
    { mount: (platform) => platform.get('/console/*', (context) => context.json({ path: context.req.path })) },
  );
  serving = await serveGateway(app, { host: '127.0.0.1', port: 0, limits: { maxRequestsPerSocket: 1_000_000 } });
});
afterAll(() => serving.close());
afterEach(() => seen.splice(0));

const target = (path: string, method = 'GET', headers = '') =>
  exchange(serving.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
const statusOf = async (path: string) => (await target(path)).answers[0]?.status;

describe('a path that is not plain', () => {
  const tricks = [
    '/./',
    '//',
    '/.//',
    '/../',
    '/x/../',
    '/%2e/',
    '/%2E%2e/',
    '/.%2e/',
    '/%252e%252e/',
    '/..;/',
    '/.;x/',
    '/;/',
    '/%2f',
    '/%5c',
    '/\\',
    '\\',
    '/%00/',
    '/%0a/',
    '/%c0%ae%c0%ae/',
    '/%c0%af',
    '/%e0%80%af',
    '/%ef%bc%8f',
    '/%uff0e/',
    '/%/',
    '/%2/',
    '/%zz/',
    '/ /',
    '/\t/',
    '/~/',
    '/*/',
  ];

  it.each(tricks)('leads nowhere that needs a right: %j', async (trick) => {
    for (const path of [
      `/api/v1/demo${trick}admin`,
      `/api/v1/demo/admin${trick}`,
      `/api/v1/demo/item/1${trick}secret`,
      `/api/v1/demo/open${trick}../admin`,
      `/api/v1/closed${trick}x`,
      `/api/v1${trick}closed`,
      `/api${trick}v1/demo/admin`,
      `${trick}api/v1/demo/admin`,
    ]) {
      const { answers } = await target(path);
      expect([400, 401, 404], path).toContain(answers[0]?.status);
      expect(answers[0]?.headers['content-type'], path).toBe('application/problem+json');
    }
    expect(seen).toEqual([]);
  });

  it.each(tricks)('is no other name of a page of the platform’s own: %j', async (trick) => {
    for (const path of [
      `${trick}console/x`,
      `/x${trick}../console/x`,
      `/console${trick}x`,
      `/api/v1${trick}modules`,
      `${trick}healthz`,
    ]) {
      const { answers } = await target(path);
      const status = answers[0]?.status;
      if (status === 200) expect(path).toMatch(/^\/(?:console\/|healthz$)/);
      else expect([400, 401, 404], path).toContain(status);
    }
  });

  it.each([
    '/%63onsole/x',
    '/consol%65/x',
    '/api/v1/dem%6f',
    '/api/v1/demo/%61dmin',
    '/api/v1/demo/admi%6E',
    '/api/v1/demo/item/1/%73ecret',
    '/api/v1/%6Dodules',
    '/%68ealthz',
    '/%2568ealthz',
  ])('is one whose letters are encoded without need: %s', async (path) => {
    expect(await statusOf(path)).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each([
    '/API/V1/DEMO/ADMIN',
    '/api/v1/Demo/admin',
    '/api/v1/demo/Admin',
    '/Console/x',
    '/CONSOLE/x',
    '/api/v1/demo;x=1/admin',
    '/api/v1/demo/admin;x=1',
    '/api/v1/demo/admin.json',
    '/api/v1/demo/admin%20',
    '/api/v1/demoadmin',
    '/api/v1/demo3/admin',
    '/api/v1/closed2',
    '/api/v1/clos',
    '/api/v1',
    '/api/v1/',
    '/api/',
  ])('is not taken for its neighbour: %s', async (path) => {
    expect(await statusOf(path)).toBe(404);
    expect(seen).toEqual([]);
  });
});

describe('a method', () => {
  it.each([
    'X-HTTP-Method-Override: DELETE',
    'X-HTTP-Method: DELETE',
    'X-Method-Override: DELETE',
    'X-Original-Method: DELETE',
  ])('is not changed by %s, and the module does not hear of it', async (header) => {
    const { answers } = await target(
      '/api/v1/demo/open?_method=DELETE&method=DELETE',
      'POST',
      `${header}\r\nContent-Length: 0\r\n`,
    );
    expect(answers[0]?.status).toBe(200);
    expect(seen.map(({ request }) => [request.handler, request.method])).toEqual([['POST /open', 'POST']]);
    if (!header.startsWith('X-Original'))
      expect(seen[0]?.request.headers.map(([name]) => name)).toEqual(['host', 'content-length']);
  });

  it.each(['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix', 'X-Forwarded-Path', 'X-Original-Host', 'X-Host'])(
    'and a path are not changed by %s',
    async (name) => {
      await target('/api/v1/demo/open', 'GET', `${name}: /api/v1/demo/admin\r\n`);
      expect(seen.map(({ request }) => request.url)).toEqual(['http://x/api/v1/demo/open']);
      expect(seen[0]?.request.headers.map(([header]) => header)).toEqual(['host']);
    },
  );

  it('HEAD asks for the same rights as GET', async () => {
    expect((await target('/api/v1/demo/admin', 'HEAD')).text).toMatch(/^HTTP\/1\.1 401 /);
    expect(seen).toEqual([]);
  });
});

/** What a reader that decodes and resolves everything, again and again, could make of it. */
function mostGenerousReading(path: string): string {
  let text = path;
  for (let round = 0; round < 3; round += 1) {
    text = text
      .replace(/%u([0-9a-f]{4})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/%([0-9a-f]{2})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replaceAll('\\', '/');
  }
  const parts: string[] = [];
  for (const part of text.split('/')) {
    const [plain = ''] = part.split(';');
    if (plain === '..') parts.pop();
    else if (plain !== '' && plain !== '.') parts.push(plain);
  }
  return `/${parts.join('/')}`.toLowerCase();
}

describe('for any path made of nasty pieces', () => {
  const piece = fc.constantFrom(
    ...[
      '/',
      '//',
      '.',
      '..',
      '/../',
      '/./',
      ';',
      ';x=1',
      '\\',
      '%2e',
      '%2E',
      '%2f',
      '%2F',
      '%5c',
      '%00',
      '%0d%0a',
      '%252e',
      '%252f',
    ],
    ...[
      '%c0%ae',
      '%c0%af',
      '%ff',
      '%C3%A9',
      '%',
      '%z',
      '%61',
      '%6F',
      '%20',
      '+',
      '~',
      '@',
      ':',
      '*',
      '&',
      '=',
      '$',
      '%uff0f',
    ],
    ...[
      'api',
      '/api/v1',
      '/api/v1/demo',
      '/api/v1/demo2',
      '/api/v1/closed',
      'demo',
      'demo2',
      'closed',
      'admin',
      '/admin',
      'open',
      '/open',
    ],
    ...[
      'item',
      '/item/',
      'secret',
      '/secret',
      'x',
      'A',
      'console',
      '/console/',
      'v1',
      'http://x',
      'http://y',
      '?',
      '#',
      '?a=/admin',
    ],
  );
  const prefix = fc.constantFrom(
    '',
    '/',
    '/api/v1/demo',
    '/api/v1/demo/',
    '/api/v1/demo/item/',
    '/api/v1/closed/',
    '/console/',
  );
  const path = fc.tuple(prefix, fc.array(piece, { maxLength: 7 })).map(([start, pieces]) => start + pieces.join(''));

  it('nobody gets where a right is missing, and the module sees the path that was judged', async () => {
    const anonymous = dialled();
    await fc.assert(
      fc.asyncProperty(path, async (asked) => {
        seen.splice(0);
        const answer = await anonymous.ask(asked, '');
        expect(answer.status).toBeLessThan(500);
        for (const { module, request } of seen) {
          expect(answer.status).toBe(200);
          expect(module).not.toBe('closed');
          expect(request.handler).not.toMatch(/admin|secret/);
          const [written = ''] = asked.split('?');
          const plain = written.replace(/^http:\/\/x/, '');
          expect(new URL(request.url).pathname).toBe(plain);
          expect(`${plain}/`.startsWith(`/api/v1/${module}/`)).toBe(true);
          const generous = mostGenerousReading(plain);
          if (module === 'demo')
            expect(generous).not.toMatch(/^\/api\/v1\/demo\/(?:admin|item\/[^/]+\/secret)(?:\/|$)/);
          expect(`${generous}/`.startsWith(`/api/v1/${module}/`)).toBe(true);
        }
        if (seen.length === 0 && answer.status === 200)
          expect(asked).toMatch(/^(?:http:\/\/x)?\/(?:console(?:[/?]|$)|healthz|docs|openapi)/);
      }),
      { numRuns: 3000 },
    );
    anonymous.close();
  });

  it('the boss gets to the handler whose path it is, and to no other module', async () => {
    const { authorization } = await bearer({ permissions: ['boss'] });
    const boss = dialled();
    await fc.assert(
      fc.asyncProperty(path, async (asked) => {
        seen.splice(0);
        await boss.ask(asked, `Authorization: ${authorization}\r\n`);
        for (const { module, request } of seen) {
          const below = new URL(request.url).pathname.slice(`/api/v1/${module}`.length) || '/';
          const pattern = request.handler.split(' ')[1]?.replace(/:id/, '[^/]+').replace('*', '.*');
          expect(below).toMatch(new RegExp(`^${pattern}$`));
          const params = Object.values(request.params).join('');
          expect(params).not.toMatch(/[\\\0\r\n]|(?:^|\/)\.{1,2}(?:\/|$)/);
        }
      }),
      { numRuns: 1500 },
    );
    boss.close();
  });
});

/** Keeps its connection while the host does. */
function dialled() {
  let socket: ReturnType<typeof connect> | undefined;
  return {
    async ask(path: string, headers: string): Promise<{ status: number }> {
      const used =
        socket === undefined || socket.destroyed || !socket.writable ? connect(serving.port, '127.0.0.1') : socket;
      socket = used;
      used.removeAllListeners().on('error', () => {});
      let text = '';
      const whole = new Promise<number>((resolve, reject) => {
        used.on('close', () => reject(new Error(`The host hung up at ${JSON.stringify(path)}.`)));
        used.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          try {
            const [answer] = readAnswers(text);
            if (answer === undefined) return;
            if (answer.headers.connection === 'close') socket = undefined;
            resolve(answer.status);
          } catch {
            // Not all of it is there.
          }
        });
      });
      used.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
      const status = await whole;
      if (socket === undefined)
        used
          .removeAllListeners()
          .on('error', () => {})
          .destroy();
      return { status };
    },
    close: () =>
      socket
        ?.removeAllListeners()
        .on('error', () => {})
        .destroy(),
  };
}
