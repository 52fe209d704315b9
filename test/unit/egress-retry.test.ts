/** What is sent once more, and what is not: the other side is a small server, its clock is the test's patience. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpEgress, type HttpEgress } from '../../runtime/capabilities/http.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const servers: Server[] = [];
const egresses: HttpEgress[] = [];
afterEach(async () => {
  await Promise.all(egresses.splice(0).map((egress) => egress.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function upstream(handler: Handler, timeoutMs = 5_000) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.method));
    request.resume();
    handler(request, response, asked.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const lookups: string[] = [];
  const egress = createHttpEgress(
    {
      allowPrivate: new Set([`api.test:${port}`]),
      timeoutMs,
      maxResponseBytes: 10_000,
      resolver: async (host) => {
        lookups.push(host);
        return [{ address: '127.0.0.1', family: 4 }];
      },
    },
    { granted: () => [{ capability: 'http', host: 'api.test', port }], secret: () => undefined },
  );
  egresses.push(egress);
  const guest = scriptGuest();
  const methods = egress.capability({
    module: 'demo',
    session: () => guest.session,
    admitLine: () => true,
    signal: new AbortController().signal,
  });
  let id = 0;
  const fetch = (request: Record<string, unknown> = {}) =>
    methods.fetch?.({
      id: ++id,
      method: 'GET',
      url: `http://api.test:${port}/`,
      headers: [],
      body: { kind: 'none' },
      ...request,
    }) as Promise<HttpResponse>;
  return { asked, lookups, fetch, guest, cancel: () => methods.cancel?.(id), port };
}

/** Fails so often, then is fine. */
const failing =
  (times: number, fail: (response: ServerResponse) => void): Handler =>
  (_request, response, count) =>
    count <= times ? fail(response) : response.end('fine');
const lose = (response: ServerResponse): void => void response.socket?.destroy();
const unable = (status: number) => (response: ServerResponse) => void response.writeHead(status).end('not now');

describe('a request that can be repeated without harm', () => {
  it.each([
    ['the connection is lost', lose],
    ['the answer is 502', unable(502)],
    ['the answer is 503', unable(503)],
    ['the answer is 504', unable(504)],
  ])('is sent up to three times while %s', async (_name, fail) => {
    const { asked, fetch } = await upstream(failing(2, fail));
    expect((await fetch()).status).toBe(200);
    expect(asked).toHaveLength(3);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('is one with %s', async (method) => {
    const { asked, fetch } = await upstream(failing(1, lose));
    const body = method === 'PUT' ? { kind: 'text', text: 'all of it' } : { kind: 'none' };
    expect((await fetch({ method, body })).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('is given up after three times: with the last answer, or with the failure', async () => {
    const unwell = await upstream(failing(9, unable(503)));
    expect((await unwell.fetch()).status).toBe(503);
    expect(unwell.asked).toHaveLength(3);
    const gone = await upstream(failing(9, lose));
    await expect(gone.fetch()).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    expect(gone.asked).toHaveLength(3);
  });

  it('waits as long as Retry-After says, when that is before its deadline', async () => {
    const times: number[] = [];
    const { fetch } = await upstream((_request, response, count) => {
      times.push(performance.now());
      if (count > 1) response.end();
      else response.writeHead(503, { 'retry-after': '1' }).end();
    });
    expect((await fetch()).status).toBe(200);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it.each([
    ['seconds', () => '3600'],
    ['a date', () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])('is answered as it is when Retry-After asks for more time than there is: %s', async (_name, after) => {
    const { asked, fetch } = await upstream(
      failing(9, (response) => {
        response.writeHead(503, { 'retry-after': after() }).end();
      }),
    );
    expect((await fetch()).status).toBe(503);
    expect(asked).toHaveLength(1);
  });

  it.each(['-1', 'soon', '1e9', '', '0x10'])('is not kept by a Retry-After that is none: %j', async (after) => {
    const { asked, fetch } = await upstream(
      failing(1, (response) => {
        response.writeHead(503, { 'retry-after': after }).end();
      }),
    );
    expect((await fetch()).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('ends when the guest cancels it between two attempts', async () => {
    const at = await upstream((_request, response) => {
      response.writeHead(503, { 'retry-after': '2' }).end(() => setTimeout(at.cancel, 20));
    });
    await expect(at.fetch()).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    expect(at.asked).toHaveLength(1);
  });

  it.each([1, 200_000])('does not wait for the end of an answer that nobody will read: %d bytes', async (size) => {
    const { asked, fetch } = await upstream((_request, response, count) => {
      if (count > 1) response.end('fine');
      else response.writeHead(503).write('x'.repeat(size));
    });
    expect((await fetch()).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('has its name resolved and checked anew for each connection', async () => {
    const { lookups, fetch } = await upstream(failing(2, lose));
    await fetch();
    expect(lookups).toHaveLength(3);
  });
});

describe('a request is sent once', () => {
  it.each([
    ['POST', { method: 'POST' }],
    ['PATCH', { method: 'PATCH' }],
    ['with a method of nobody’s', { method: 'PURGE' }],
    ['with retry: false', { retry: false }],
  ])('%s', async (_name, request) => {
    for (const fail of [lose, unable(503)]) {
      const { asked, fetch } = await upstream(failing(9, fail));
      await fetch(request).catch(() => {});
      expect(asked).toHaveLength(1);
    }
  });

  it('when its body was streamed', async () => {
    const { asked, fetch, guest } = await upstream(failing(9, unable(503)));
    const sending = fetch({ method: 'PUT', body: { kind: 'stream', stream: 1 } });
    guest.sayText('[{"stream":1,"op":"chunk"},{"stream":1,"op":"end"}]', [Buffer.from('streamed')]);
    expect((await sending).status).toBe(503);
    expect(asked).toHaveLength(1);
  });

  it.each([200, 400, 404, 429, 500, 501, 505])('when the answer is %d', async (status) => {
    const { asked, fetch } = await upstream(failing(9, unable(status)));
    expect((await fetch()).status).toBe(status);
    expect(asked).toHaveLength(1);
  });

  it('when there is no time for another', async () => {
    const { asked, fetch } = await upstream(failing(9, lose), 90);
    await expect(fetch()).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    expect(asked).toHaveLength(1);
  });
});
