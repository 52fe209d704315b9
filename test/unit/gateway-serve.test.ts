import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GatewayOptions } from '../../runtime/gateway/app.ts';
import { type ServeOptions, type Serving, serveGateway } from '../../runtime/gateway/serve.ts';
import type { ModuleAnswer } from '../../runtime/modules/served-module.ts';
import {
  type FakeEndpoint,
  type FakeModule,
  fakeGateway,
  fakeModule,
  json,
  LIMITS,
  OPEN,
} from '../support/fake-modules.ts';

const open: Serving[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((serving) => serving.close()));
});

async function serve(
  endpoints: Record<string, FakeEndpoint>,
  options: Partial<GatewayOptions> = {},
  limits: ServeOptions['limits'] = {},
): Promise<{ module: FakeModule; url: string; port: number; serving: Serving }> {
  const module = fakeModule({ manifest: OPEN, endpoints });
  const app = fakeGateway([module], options);
  const serving = await serveGateway(app, { host: '127.0.0.1', port: 0, limits: { closeTimeoutMs: 200, ...limits } });
  open.push(serving);
  return { module, serving, port: serving.port, url: `${serving.url}/api/v1/demo` };
}

/** Writes bytes as they are, and reads until the host closes. */
function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
  return text(socket);
}

const rawGet = (port: number, target: string) =>
  raw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

function send(url: string, method: string, headers: Record<string, string> = {}, agent?: Agent) {
  const sent = request(url, { method, headers, ...(agent === undefined ? {} : { agent }) });
  const answer = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject));
  return { sent, answer };
}

const streamOf = (stream: ReadableStream<Uint8Array>, type = 'text/event-stream'): ModuleAnswer => ({
  status: 200,
  headers: [['content-type', type]],
  body: { kind: 'stream', stream },
});

const encode = (value: string) => new TextEncoder().encode(value);

describe('streams to the client', () => {
  it('arrive piece by piece', async () => {
    let push = (_value: string) => {};
    let end = () => {};
    const { url } = await serve({
      'GET /': {
        run: () =>
          streamOf(
            new ReadableStream({
              start(controller) {
                push = (value) => controller.enqueue(encode(value));
                end = () => controller.close();
              },
            }),
          ),
      },
    });
    const response = await fetch(url);
    const reader = response.body?.getReader();
    push('data: 1\n\n');
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    push('data: 2\n\n');
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 2\n\n');
    end();
    expect((await reader?.read())?.done).toBe(true);
  });

  it('are not pulled faster than the client reads', async () => {
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(256 * 1024));
          if (pulled === 4000) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const { url } = await serve({ 'GET /': { run: () => streamOf(stream, 'application/octet-stream') } });
    const { sent, answer } = send(url, 'GET');
    sent.end();
    const response = await answer;
    response.pause();
    let before = -1;
    await vi.waitUntil(
      () => {
        const settled = pulled === before;
        before = pulled;
        return settled;
      },
      { interval: 100 },
    );
    expect(pulled).toBeLessThan(200);
    response.destroy();
  });

  it('are given up when the client goes away, and the module is told', async () => {
    const cancel = vi.fn();
    const { url, module } = await serve({
      'GET /': {
        run: () => streamOf(new ReadableStream({ start: (controller) => controller.enqueue(encode('x')), cancel })),
      },
    });
    const { sent, answer } = send(url, 'GET');
    sent.end();
    (await answer).on('error', () => {}).destroy();
    sent.destroy();
    await vi.waitFor(() => expect(cancel).toHaveBeenCalled());
    expect(module.calls[0]?.options.signal?.aborted).toBe(true);
  });

  it('that break cut the connection, and say nothing of why', async () => {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encode('first')),
      pull: () => Promise.reject(new Error('hunter2')),
    });
    const { port } = await serve({ 'GET /': { run: () => streamOf(stream) } });
    const received = await raw(port, 'GET /api/v1/demo HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => '');
    expect(received).not.toContain('hunter2');
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

describe('uploads', () => {
  it('stream to the module', async () => {
    const { url } = await serve({
      'POST /': {
        async run(_request, { body }) {
          return json({ text: body.kind === 'stream' ? await text(body.stream) : body.kind });
        },
      },
    });
    const { sent, answer } = send(url, 'POST', { 'content-type': 'application/octet-stream' });
    sent.write('one ');
    sent.end('two');
    expect(JSON.parse(await text(await answer))).toEqual({ text: 'one two' });
  });

  it('wait until the module reads', async () => {
    const gate = Promise.withResolvers<void>();
    const { url } = await serve(
      {
        'POST /': {
          async run(_request, { body }) {
            await gate.promise;
            return json({ bytes: body.kind === 'stream' ? (await buffer(body.stream)).length : 0 });
          },
        },
      },
      { limits: { ...LIMITS, uploadBytes: 100_000_000 } },
    );
    const { sent, answer } = send(url, 'POST', { 'content-type': 'video/mp4' });
    const size = 50_000_000;
    sent.end(Buffer.alloc(size));
    let before = -1;
    await vi.waitUntil(
      () => {
        const written = sent.socket?.bytesWritten ?? 0;
        const settled = written > 0 && written === before;
        before = written;
        return settled;
      },
      { interval: 100 },
    );
    expect(sent.writableFinished).toBe(false);
    gate.resolve();
    expect(JSON.parse(await text(await answer))).toEqual({ bytes: size });
  });

  it.each([
    ['JSON', 'application/json', LIMITS.bodyBytes],
    ['a file', 'application/octet-stream', LIMITS.uploadBytes],
  ])('of %s without a length are refused once they are too large', async (_name, type, limit) => {
    const seen = Promise.withResolvers<unknown>();
    const { url } = await serve({
      'POST /': {
        run: async (_request, { body, signal }) => {
          if (body.kind === 'stream') await text(body.stream).catch(seen.resolve);
          expect(signal?.aborted).toBe(true);
          return json({ late: true });
        },
      },
    });
    const { sent, answer } = send(url, 'POST', { 'content-type': type });
    sent.write('x');
    sent.end(Buffer.alloc(limit));
    const response = await answer;
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(await text(response))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    if (type !== 'application/json') expect(await seen.promise).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('that grow too large after the answer began break off', async () => {
    const failed = Promise.withResolvers<unknown>();
    const { url } = await serve({
      'POST /': {
        run: (_request, { body }) => {
          if (body.kind === 'stream') text(body.stream).catch(failed.resolve);
          return streamOf(new ReadableStream({ start: (controller) => controller.enqueue(encode('early')) }));
        },
      },
    });
    const { sent, answer } = send(url, 'POST', { 'content-type': 'application/octet-stream' });
    sent.on('error', () => {});
    sent.write('x');
    const response = await answer;
    expect(response.statusCode).toBe(200);
    sent.write(Buffer.alloc(LIMITS.uploadBytes));
    expect(await failed.promise).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    response.on('error', () => {});
    sent.destroy();
  });

  it('end when the answer is complete', async () => {
    const failed = Promise.withResolvers<unknown>();
    const { url } = await serve({
      'POST /': {
        run: (_request, { body }) => {
          if (body.kind === 'stream') text(body.stream).catch(failed.resolve);
          return json({ early: true });
        },
      },
    });
    const { sent, answer } = send(url, 'POST', { 'content-type': 'application/octet-stream' });
    sent.on('error', () => {});
    sent.write('x');
    await text(await answer);
    expect(await failed.promise).toMatchObject({ code: 'CLIENT_CLOSED' });
    sent.destroy();
  });

  it('that are refused are not asked for', async () => {
    const { port, module } = await serve({ 'POST /': { permissions: ['write'] } });
    const received = await raw(
      port,
      'POST /api/v1/demo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n',
    );
    expect(received).toMatch(/^HTTP\/1\.1 401 /);
    expect(module.calls).toEqual([]);
  });

  it('that are wanted are asked for', async () => {
    const { url } = await serve({ 'POST /': {} });
    const { sent, answer } = send(url, 'POST', {
      'content-type': 'application/json',
      'content-length': '2',
      expect: '100-continue',
    });
    sent.flushHeaders();
    await new Promise((resolve) => sent.on('continue', resolve));
    sent.end('{}');
    expect((await answer).statusCode).toBe(200);
  });

  it('that are never finished end with the client', async () => {
    const seen = Promise.withResolvers<unknown>();
    const { url } = await serve({
      'POST /': {
        run: async (_request, { body }) =>
          json(body.kind === 'stream' ? await text(body.stream).catch(seen.resolve) : 0),
      },
    });
    const { sent, answer } = send(url, 'POST', { 'content-type': 'application/octet-stream', 'content-length': '100' });
    answer.catch(() => {});
    sent.write('half');
    await vi.waitUntil(() => sent.socket !== null && sent.socket.bytesWritten > 4);
    sent.destroy();
    expect(await seen.promise).toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});

describe('clients that send slowly', () => {
  const slow = (url: string, type: string) => {
    const { sent, answer } = send(url, 'POST', { 'content-type': type, 'content-length': '100' });
    answer.catch(() => {});
    sent.write('{');
    return { sent, answer };
  };

  it.each([
    ['a held body', 'application/json'],
    ['an upload', 'application/octet-stream'],
  ])('are told: %s that stops arriving is 400, and the connection ends', async (_name, type) => {
    const { url } = await serve(
      { 'POST /': { run: async (_request, { body }) => json(body.kind === 'stream' ? await text(body.stream) : 0) } },
      { limits: { ...LIMITS, bodyTimes: { stallMs: 30 } } },
    );
    const answer = await slow(url, type).answer;
    expect(answer.statusCode).toBe(400);
    expect(answer.headers.connection).toBe('close');
    expect(JSON.parse(await text(answer))).toMatchObject({
      code: 'MALFORMED_BODY',
      detail: expect.stringContaining('in time'),
    });
  });

  it('are cut after the total time, however steadily they drip', async () => {
    const { url } = await serve(
      { 'POST /': {} },
      { limits: { ...LIMITS, bodyTimes: { stallMs: 60_000, totalMs: 30 } } },
    );
    expect((await slow(url, 'application/json').answer).statusCode).toBe(400);
  });

  it('take no place of others while their bodies come in, and have a bound of their own', async () => {
    const { url } = await serve(
      { 'POST /': {}, 'GET /': {} },
      { limits: { ...LIMITS, maxInflight: 1, maxReceiving: 2 } },
    );
    const senders = [slow(url, 'application/json'), slow(url, 'application/json')];
    const post = () => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await vi.waitUntil(async () => (await post()).status === 503);
    expect((await fetch(url)).status).toBe(200);
    for (const { sent } of senders) sent.end(`${' '.repeat(98)}}`);
    const statuses = await Promise.all(senders.map(async ({ answer }) => (await answer).statusCode));
    expect(statuses).toContain(200);
    await vi.waitUntil(async () => (await post()).status === 200);
  });
});

describe('a client that goes away', () => {
  it('aborts the module’s signal', async () => {
    const started = Promise.withResolvers<AbortSignal | undefined>();
    const { url } = await serve({
      'GET /': {
        run: (_request, { signal }) => {
          started.resolve(signal);
          return new Promise<ModuleAnswer>((resolve) =>
            signal?.addEventListener('abort', () => resolve(json('too late'))),
          );
        },
      },
    });
    const { sent, answer } = send(url, 'GET');
    answer.catch(() => {});
    sent.end();
    const signal = await started.promise;
    expect(signal?.aborted).toBe(false);
    sent.destroy();
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  });
});

describe('HTTP/1.1', () => {
  it('keeps connections', async () => {
    const { url } = await serve({ 'GET /': {}, 'POST /': {} });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (const method of ['GET', 'POST', 'GET']) {
      const { sent, answer } = send(
        url,
        method,
        method === 'POST' ? { 'content-type': 'application/json' } : {},
        agent,
      );
      sent.end(method === 'POST' ? '{}' : undefined);
      const response = await answer;
      expect(response.statusCode).toBe(200);
      ports.add(response.socket.localPort);
      await text(response);
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it('answers HEAD without a body, and gives up the module’s stream', async () => {
    const cancel = vi.fn();
    const { url } = await serve({ 'GET /': {}, 'GET /s': { run: () => streamOf(new ReadableStream({ cancel })) } });
    const response = await fetch(url, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json',
      '',
    ]);
    await fetch(`${url}/s`, { method: 'HEAD' });
    expect(cancel).toHaveBeenCalled();
  });

  it.each([
    '/api/v1/demo/../demo',
    '/api/v1/./demo',
    '/api/v1/demo/%2e%2e/demo',
    '//api/v1/demo',
    '/api//v1/demo',
    '/api/v1/demo%2f',
    '/api/v1%2fdemo',
    '/api\\v1\\demo',
    '/api/v1/demo%00',
    '/api/v1/demo/%zz',
    '/api/v1/demo#x',
    'http://other.example//api/v1/demo',
    '/x/../api/v1/demo',
    '/%61pi/v1/demo',
  ])('takes no confusing target: %s', async (target) => {
    const { port, module } = await serve({ 'GET /': {}, 'GET /*': {} });
    const received = await rawGet(port, target);
    expect(received).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(received).toContain('application/problem+json');
    expect(module.calls).toEqual([]);
  });

  it('takes the absolute form that proxies write', async () => {
    const { port } = await serve({ 'GET /': {} });
    expect(await rawGet(port, 'http://x/api/v1/demo')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['garbage', 'HELLO\r\n\r\n', 400],
    [
      'two lengths',
      'POST /api/v1/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a header that is folded', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400],
    ['no host', 'GET /api/v1/demo HTTP/1.1\r\n\r\n', 400],
    ['a host that is none', 'GET /api/v1/demo HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`, 431],
  ])('refuses %s', async (_name, bytes, status) => {
    const { port, module } = await serve({ 'POST /': {}, 'GET /': {} });
    const received = await raw(port, bytes);
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(module.calls).toEqual([]);
  });

  it('cuts clients that send too slowly', async () => {
    const { port } = await serve(
      { 'GET /': {} },
      {},
      { headersTimeoutMs: 50, requestTimeoutMs: 100, timeoutCheckMs: 20 },
    );
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /api/v1/demo HTTP/1.1\r\nHost:'));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('counts anonymous callers by address, and believes proxies only as far as it was told', async () => {
    const ask = (url: string, forwarded: string) =>
      fetch(url, { headers: { 'x-forwarded-for': forwarded } }).then(({ status }) => status);
    const direct = await serve({ 'GET /': { rateLimit: 1 } });
    expect([await ask(direct.url, '1.1.1.1'), await ask(direct.url, '2.2.2.2')]).toEqual([200, 429]);
    const behind = await serve({ 'GET /': { rateLimit: 1 } }, { trustedProxies: 1 });
    expect([
      await ask(behind.url, 'x, 1.1.1.1'),
      await ask(behind.url, 'y, 1.1.1.1'),
      await ask(behind.url, '2.2.2.2'),
    ]).toEqual([200, 429, 200]);
  });
});

describe('serving', () => {
  it('says what to do about a port that is taken', async () => {
    const { port } = await serve({});
    await expect(serveGateway(fakeGateway([]), { host: '127.0.0.1', port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use; stop what uses it, or choose another one with --port.`,
    );
  });

  it('finishes answers under way before it closes', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const { url, serving } = await serve(
      {
        'GET /': {
          run: async () => {
            started.resolve();
            await gate.promise;
            return json('done');
          },
        },
      },
      {},
      { closeTimeoutMs: 10_000 },
    );
    const asked = fetch(url);
    await started.promise;
    const closing = serving.close();
    await expect(fetch(url)).rejects.toThrow();
    gate.resolve();
    expect(await (await asked).json()).toBe('done');
    await closing;
  });

  it('does not wait for ever', async () => {
    const { url, serving } = await serve({ 'GET /': { run: () => new Promise(() => {}) } }, {}, { closeTimeoutMs: 50 });
    const asked = fetch(url);
    asked.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    await serving.close();
    await expect(asked).rejects.toThrow();
    await serving.close();
  });
});
