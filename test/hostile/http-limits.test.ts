/** Clients that send too much, too slowly, too many at once, or never take their answer. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ModuleAnswer } from '../../runtime/modules/served-module.ts';
import { json, LIMITS } from '../support/fake-modules.ts';
import { type OpenEdge, type OpenEdgeOptions, ROOT, startOpenEdge } from '../support/open-edge.ts';
import { dial, exchange } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

const open: OpenEdge[] = [];
const dialled: Socket[] = [];
afterEach(async () => {
  for (const socket of dialled.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((edge) => edge.close()));
});

async function start(options: OpenEdgeOptions = {}): Promise<OpenEdge> {
  const edge = await startOpenEdge(options);
  open.push(edge);
  return edge;
}

function call(port: number) {
  const call = dial(port);
  dialled.push(call.socket);
  return call;
}

const get = (path = ROOT, headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const problemOf = (body = '') => JSON.parse(body) as { code: string; detail: string; errors?: unknown[] };

describe('too much of a request', () => {
  it.each<[string, string, number]>([
    ['a long path', get(`${ROOT}/${'a'.repeat(3000)}`), 404],
    ['an endless path', get(`${ROOT}/${'a'.repeat(30_000)}`), 431],
    ['an endless query', get(`${ROOT}?${'a'.repeat(30_000)}`), 431],
    ['many values in a query', get(`${ROOT}?${'a=1&'.repeat(600)}`), 422],
    ['an endless header', get(ROOT, `A: ${'b'.repeat(30_000)}\r\n`), 431],
    ['an endless name of a header', get(ROOT, `${'a'.repeat(30_000)}: b\r\n`), 431],
    ['many headers', get(ROOT, 'a:b\r\n'.repeat(101)), 431],
    ['very many headers', get(ROOT, 'a:\r\n'.repeat(5000)), 431],
    ['an endless token', get(ROOT, `Authorization: Bearer ${'a'.repeat(9000)}\r\n`), 401],
    ['an endless key', get(ROOT, `X-API-Key: ${'a'.repeat(9000)}\r\n`), 401],
  ])('is refused: %s', async (_name, bytes, status) => {
    const edge = await start();
    const { answers } = await exchange(edge.port, bytes);
    expect(answers.map((answer) => [answer.status, answer.headers['content-type']])).toEqual([
      [status, 'application/problem+json'],
    ]);
    expect(answers[0]?.headers['x-request-id']).toBeDefined();
    expect(edge.seen).toEqual([]);
  });

  it('is what Node would drop without a word: the hundredth header still counts', async () => {
    const edge = await start();
    const { answers } = await exchange(edge.port, get(ROOT, `${'a:b\r\n'.repeat(98)}X-API-Key: no\r\n`));
    expect(answers[0]?.status).toBe(401);
  });

  it('is deep nesting, in a body that is checked', async () => {
    const edge = await start({
      endpoints: { 'POST /': { schemas: { body: { type: 'array' } } } },
      gateway: { limits: { ...LIMITS, bodyBytes: 2_000_000 } },
    });
    const body = `${'['.repeat(900_000)}${']'.repeat(900_000)}`;
    const head = `POST ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { answers } = await exchange(edge.port, head + body + get('/healthz'), { quietMs: 2000 });
    expect(answers.map(({ status }) => status)).toEqual([expect.any(Number), 200]);
    expect(answers[0]?.status).toBeLessThan(500);
  });
});

describe('a packed body', () => {
  const send = async (type: string, encoding: string) => {
    const edge = await start();
    const head = `POST ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Encoding: ${encoding}\r\nContent-Length: 2\r\n\r\n`;
    return { edge, answer: (await exchange(edge.port, `${head}{}`)).answers[0] };
  };

  it.each([
    ['application/json', 'gzip'],
    ['application/json', 'GZIP'],
    ['application/json', 'br, gzip'],
    ['application/vnd.api+json', 'deflate'],
    ['text/plain', 'x-gzip'],
    ['application/x-www-form-urlencoded', 'zstd'],
    ['application/json', ''],
  ])('that the host would read is refused: %s, %s', async (type, encoding) => {
    const { edge, answer } = await send(type, encoding);
    expect([answer?.status, answer?.headers['accept-encoding']]).toEqual([415, 'identity']);
    expect(problemOf(answer?.body).code).toBe('MALFORMED_BODY');
    expect(edge.seen).toEqual([]);
  });

  it('that goes through goes through as it is', async () => {
    const { edge, answer } = await send('application/octet-stream', 'gzip');
    expect(answer?.status).toBe(200);
    expect(edge.seen[0]).toMatchObject({ body: '{}', headers: { 'content-encoding': 'gzip' } });
  });

  it('that is not packed may say so', async () => {
    expect((await send('application/json', 'Identity')).answer?.status).toBe(200);
  });
});

describe('many requests of one connection', () => {
  it('are bounded while they wait for their answers: those above are refused once, and the rest is not run', async () => {
    const gate = Promise.withResolvers<ModuleAnswer>();
    const edge = await start({
      endpoints: { 'GET /': { run: () => gate.promise } },
      limits: { maxWaitingPerSocket: 4 },
    });
    const { socket, received, closed } = call(edge.port);
    socket.write(get().repeat(500));
    await until(() => edge.seen.length === 4);
    // Others are served meanwhile.
    expect((await exchange(edge.port, get('/healthz'))).answers[0]?.status).toBe(200);
    gate.resolve(json('done'));
    await closed;
    expect(received().match(/HTTP\/1\.1 \d+/g)).toEqual([...Array(4).fill('HTTP/1.1 200'), 'HTTP/1.1 503']);
    expect(problemOf(received().split('\r\n\r\n').at(-1)).code).toBe('HOST_SHEDDING');
    expect(edge.seen).toHaveLength(4);
  });

  it('are all answered, in order, when they are few', async () => {
    const edge = await start({
      endpoints: {
        'GET /:n': {
          run: ({ params }) => new Promise((done) => setTimeout(done, 20 - Number(params.n), json(params.n))),
        },
      },
    });
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    const { answers } = await exchange(edge.port, numbers.map((number) => get(`${ROOT}/${number}`)).join(''));
    expect(answers.map(({ body }) => JSON.parse(body))).toEqual(numbers);
  });

  it('are counted over its life; the last one says that it is, and what follows is not run', async () => {
    const edge = await start({ limits: { maxRequestsPerSocket: 3 } });
    const { answers, isClosed } = await exchange(edge.port, get().repeat(6));
    expect(answers.map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'keep-alive', 'close']);
    expect(isClosed).toBe(true);
    expect(edge.seen).toHaveLength(3);
  });
});

describe('many connections', () => {
  it('of one address are refused above a count, and taken again when some are gone; the operator is told', async () => {
    const edge = await start({ limits: { maxConnectionsPerAddress: 3 } });
    const first = [call(edge.port), call(edge.port), call(edge.port)];
    for (const { socket, received } of first) {
      socket.write(get());
      await until(() => received() !== '');
    }
    const fourth = call(edge.port);
    await fourth.closed;
    expect(fourth.received()).toBe('');
    expect(edge.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/127\.0\.0\.1 has 3 connections, which is the limit/),
    ]);
    first[0]?.socket.destroy();
    await until(async () => (await exchange(edge.port, get())).answers.length === 1);
  });

  it('of all together are refused above a count', async () => {
    const edge = await start({ limits: { maxConnections: 2 } });
    const held = [call(edge.port), call(edge.port)];
    for (const { socket, received } of held) {
      socket.write(get());
      await until(() => received() !== '');
    }
    const third = call(edge.port);
    await third.closed;
    expect(edge.errors[0]?.message).toContain('2 connections');
  });
});

describe('a slow client', () => {
  const fast = { headersTimeoutMs: 100, requestTimeoutMs: 200, keepAliveTimeoutMs: 100 };

  it.each<[string, string, string]>([
    ['that says nothing', '', ''],
    ['that sends half a request line', 'GET /api', 'HTTP/1.1 408'],
    ['that sends headers without end', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nA: b\r\n`, 'HTTP/1.1 408'],
    ['that sends nothing but line ends', '\r\n', ''],
  ])('%s is cut', async (_name, bytes, start_) => {
    const edge = await start({ limits: fast });
    const { socket, received, closed } = call(edge.port);
    socket.write(bytes);
    await closed;
    expect(received().startsWith(start_)).toBe(true);
    if (start_ !== '') expect(received()).toContain('"code":"MALFORMED_REQUEST"');
    expect(edge.seen).toEqual([]);
  });

  it('that drips its headers is cut however steadily it drips', async () => {
    const edge = await start({ limits: fast });
    const { socket, closed } = call(edge.port);
    socket.write(`GET ${ROOT} HTTP/1.1\r\nHost: x\r\n`);
    const drip = setInterval(() => socket.write('A: b\r\n'), 10);
    await closed;
    clearInterval(drip);
    expect(edge.seen).toEqual([]);
  });

  it('that drips a body that streams is cut, and the module is told', async () => {
    const edge = await start({ limits: fast });
    const { socket, received, closed } = call(edge.port);
    socket.write(`PUT ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Type: video/mp4\r\nContent-Length: 5000\r\n\r\n`);
    const drip = setInterval(() => socket.write('x'), 10);
    await closed;
    clearInterval(drip);
    expect(received()).toMatch(/^HTTP\/1\.1 408 /);
    await until(() => edge.seen.some(({ body }) => body === '(broken)'));
  });

  it('that keeps a connection without use loses it', async () => {
    const edge = await start({ limits: fast });
    const { socket, received, closed } = call(edge.port);
    socket.write(get());
    await until(() => received() !== '');
    await closed;
  });

  it('that was refused and does not hang up is hung up on', async () => {
    const edge = await start();
    for (const bytes of ['garbage\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', get(ROOT, 'Host: y\r\n')]) {
      const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(bytes));
      dialled.push(socket);
      socket.resume().on('error', () => {});
      const more = setInterval(() => socket.write('x'), 10);
      await new Promise((resolve) => socket.on('close', resolve));
      clearInterval(more);
    }
  });
});

describe('a client that does not read', () => {
  const endless = (chunk: number) => {
    const facts = { pulled: 0, cancelled: false };
    const stream = () =>
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            facts.pulled += 1;
            controller.enqueue(new Uint8Array(chunk));
          },
          cancel() {
            facts.cancelled = true;
          },
        },
        { highWaterMark: 0 },
      );
    const run = (): ModuleAnswer => ({
      status: 200,
      headers: [['content-type', 'application/octet-stream']],
      body: { kind: 'stream', stream: stream() },
    });
    return { facts, run };
  };

  it('gets a bounded piece of an answer that streams, and is cut in time; the module’s stream ends', async () => {
    const { facts, run } = endless(64 * 1024);
    const edge = await start({ endpoints: { 'GET /': { run } }, limits: { readTimeoutMs: 150 } });
    const { socket } = call(edge.port);
    socket.pause();
    socket.write(get());
    await until(() => facts.cancelled);
    // What the two kernels hold, and one piece of ours.
    expect(facts.pulled).toBeLessThan(400);
    expect((await exchange(edge.port, get('/healthz'))).answers[0]?.status).toBe(200);
  });

  it('of a large answer that does not stream is cut as well', async () => {
    const edge = await start({
      endpoints: {
        'GET /': { run: () => ({ status: 200, headers: [], body: { kind: 'text', text: 'x'.repeat(30_000_000) } }) },
      },
      limits: { readTimeoutMs: 150 },
    });
    const { socket, closed } = call(edge.port);
    socket.pause();
    socket.write(get());
    await until(() => edge.seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.resume();
    await closed;
  });

  it('or hardly reads is cut: a little now and then is not enough', async () => {
    const { facts, run } = endless(16 * 1024 * 1024);
    const edge = await start({
      endpoints: { 'GET /': { run } },
      limits: { readTimeoutMs: 200, minReadBytesPerSecond: 1_000_000_000 },
    });
    const socket = connect(edge.port, '127.0.0.1').pause();
    dialled.push(socket.on('error', () => {}));
    socket.write(get());
    let sips = 0;
    const sip = setInterval(() => {
      if (socket.read() !== null) sips += 1;
    }, 5);
    await until(() => facts.cancelled);
    clearInterval(sip);
    expect(sips).toBeGreaterThan(3);
  });

  it('because there is nothing to read is left alone', async () => {
    let push = (_text: string) => {};
    const run = (): ModuleAnswer => ({
      status: 200,
      headers: [['content-type', 'text/event-stream']],
      body: {
        kind: 'stream',
        stream: new ReadableStream({
          start(controller) {
            push = (text) => controller.enqueue(new TextEncoder().encode(text));
          },
        }),
      },
    });
    const edge = await start({ endpoints: { 'GET /': { run } }, limits: { readTimeoutMs: 60 } });
    const { socket, received } = call(edge.port);
    socket.write(get());
    await until(() => received().includes('event-stream'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(socket.destroyed).toBe(false);
    push('data: still here\n\n');
    await until(() => received().includes('still here'));
  });

  it('nor does one that waits for a slow module lose its answer', async () => {
    const run = () => new Promise<ModuleAnswer>((resolve) => setTimeout(resolve, 300, json('late')));
    const edge = await start({ endpoints: { 'GET /': { run } }, limits: { readTimeoutMs: 60 } });
    const { answers } = await exchange(edge.port, get(), { quietMs: 1000 });
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });
});

describe('“100 Continue”', () => {
  it('is not said to HTTP/1.0, which knows no such answer', async () => {
    const edge = await start();
    const head = `POST ${ROOT} HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n`;
    const { text } = await exchange(edge.port, `${head}abcd`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('waited for in vain ends with the body’s deadline', async () => {
    const edge = await start();
    const head = `POST ${ROOT} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n`;
    const { text, isClosed } = await exchange(edge.port, head, { quietMs: 2000 });
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /);
    expect(isClosed).toBe(true);
  });
});

it('the neighbours are served while two hundred clients are slow in every way', async () => {
  vi.setConfig({ testTimeout: 60_000 });
  const edge = await start({ limits: { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000, readTimeoutMs: 60_000 } });
  const openings = [
    '',
    'GET /',
    `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nA: `,
    `POST ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    `PUT ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n`,
  ];
  const slow = Array.from({ length: 200 }, (_, at) => {
    const { socket } = call(edge.port);
    socket.write(openings[at % openings.length] ?? '');
    return socket;
  });
  for (let count = 0; count < 50; count += 1) expect((await fetch(`${edge.url}${ROOT}`)).status).toBe(200);
  // None of them was in the way: those that sent no body are all still there.
  for (const [at, socket] of slow.entries()) if (at % openings.length < 3) expect(socket.destroyed).toBe(false);
});
