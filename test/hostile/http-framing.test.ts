/** Requests that two servers would cut into pieces differently (smuggling), and bytes that are no HTTP/1.1 at all. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectRefused } from '../support/expect-refused.ts';
import { type OpenEdge, ROOT, startOpenEdge } from '../support/open-edge.ts';
import { dial, exchange } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

let edge: OpenEdge;
beforeAll(async () => {
  edge = await startOpenEdge({ limits: { headersTimeoutMs: 2000, requestTimeoutMs: 2000 } });
});
afterAll(() => edge.close());
afterEach(() => edge.seen.splice(0));

const smuggled = () => edge.seen.filter(({ url }) => url.includes('smuggled'));

const SECOND = `GET ${ROOT}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;
const ask = (bytes: string | Buffer) => exchange(edge.port, bytes);

const post = (headers: readonly string[], body = '', line = `POST ${ROOT} HTTP/1.1`) =>
  `${[line, 'Host: x', 'Content-Type: application/octet-stream', ...headers].join('\r\n')}\r\n\r\n${body}`;

describe('a request whose end is unclear', () => {
  it.each<[string, readonly string[], number]>([
    ['a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], 400],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 4'], 400],
    ['a length and an unknown coding', ['Content-Length: 4', 'Transfer-Encoding: x'], 400],
    ['two codings, chunked last', ['Transfer-Encoding: gzip, chunked'], 501],
    ['two codings, chunked first', ['Transfer-Encoding: chunked, identity'], 400],
    ['chunked twice', ['Transfer-Encoding: chunked, chunked'], 400],
    ['two coding headers', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], 400],
    ['the same coding header twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], 400],
    ['identity', ['Transfer-Encoding: identity'], 400],
    ['a word like chunked', ['Transfer-Encoding: xchunked'], 400],
    ['chunked in quotes', ['Transfer-Encoding: "chunked"'], 400],
    ['chunked with a parameter', ['Transfer-Encoding: chunked;foo=bar'], 400],
    ['an empty coding', ['Transfer-Encoding:'], 400],
    ['a vertical tab before chunked', ['Transfer-Encoding: \x0bchunked'], 400],
    ['a space before the colon of the coding', ['Transfer-Encoding : chunked'], 400],
    ['a tab before the colon of the coding', ['Transfer-Encoding\t: chunked'], 400],
    ['a folded coding', ['Transfer-Encoding:\r\n chunked'], 400],
    ['a NUL in the coding', ['Transfer-Encoding: chunked\0'], 400],
    ['a coding with a bare CR', ['X: y\rTransfer-Encoding: chunked'], 400],
    ['a coding after a bare LF', ['X: y\nTransfer-Encoding: chunked'], 400],
    ['two lengths', ['Content-Length: 4', 'Content-Length: 5'], 400],
    ['the same length twice', ['Content-Length: 4', 'Content-Length: 4'], 400],
    ['a list of lengths', ['Content-Length: 4, 4'], 400],
    ['a length with a plus', ['Content-Length: +4'], 400],
    ['a negative length', ['Content-Length: -4'], 400],
    ['a hexadecimal length', ['Content-Length: 0x4'], 400],
    ['a length with an exponent', ['Content-Length: 1e1'], 400],
    ['a length in two words', ['Content-Length: 4 4'], 400],
    ['a length over 64 bits', ['Content-Length: 18446744073709551620'], 400],
    ['an empty length', ['Content-Length: '], 400],
    ['a space before the colon of the length', ['Content-Length : 4'], 400],
  ])('is refused: %s', async (_name, headers, status) => {
    expectRefused(await ask(post(headers, `0\r\n\r\n${SECOND}`)), [status, 501]);
    expect(smuggled()).toEqual([]);
    // Node's parser says of some only after the headers that the body cannot be read; nothing of it was run.
    expect(edge.seen.filter(({ body }) => body !== '(broken)')).toEqual([]);
  });

  it.each<[string, string]>([
    ['with a coding on GET', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n${SECOND}`],
    [
      'with chunks in HTTP/1.0',
      `POST ${ROOT} HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`,
    ],
    ['with a line feed for an end of line', `GET ${ROOT} HTTP/1.1\nHost: x\n\n${SECOND}`],
    ['with one bare line feed', `GET ${ROOT} HTTP/1.1\r\nHost: x\nX: y\r\n\r\n${SECOND}`],
    ['with a bare line feed at the end', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\n\n${SECOND}`],
    ['with a bare CR in a header', `GET ${ROOT} HTTP/1.1\r\nHost: x\rX: y\r\n\r\n${SECOND}`],
    ['with NUL in a header', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n${SECOND}`],
    ['with NUL in the name of a header', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nX\0: b\r\n\r\n${SECOND}`],
    ['with a folded header', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n${SECOND}`],
    ['with a first header that starts with a space', `GET ${ROOT} HTTP/1.1\r\n Host: x\r\n\r\n${SECOND}`],
    ['with a space before the colon', `GET ${ROOT} HTTP/1.1\r\nHost : x\r\n\r\n${SECOND}`],
    ['with a header without a name', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\n: v\r\n\r\n${SECOND}`],
    ['with a header without a colon', `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nfoo\r\n\r\n${SECOND}`],
  ])('is refused: %s', async (_name, bytes) => {
    expectRefused(await ask(bytes), [400, 501]);
    expect(edge.seen).toEqual([]);
  });
});

describe('chunks', () => {
  const chunked = (body: string, headers: readonly string[] = []) =>
    post(['Transfer-Encoding: chunked', ...headers], body);

  it('are read as they are meant', async () => {
    const { answers, isClosed } = await ask(chunked('4\r\nabcd\r\n0A\r\n0123456789\r\n0\r\n\r\n') + SECOND);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(edge.seen.map(({ body }) => body).sort()).toEqual(['abcd0123456789', 'none']);
    expect(isClosed).toBe(false);
  });

  it('may have trailers, of which nothing reaches anybody', async () => {
    const { answers } = await ask(
      chunked('4\r\nabcd\r\n0\r\nX-Late: 1\r\nAuthorization: Bearer x\r\nX-Api-Key: y\r\n\r\n') + SECOND,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(edge.seen[0]?.headers).toEqual({ host: 'x', 'content-type': 'application/octet-stream' });
  });

  it.each<[string, string]>([
    ['a size over 64 bits', '10000000000000004\r\nabcd\r\n0\r\n\r\n'],
    ['a size with 0x', '0x4\r\nabcd\r\n0\r\n\r\n'],
    ['a negative size', '-4\r\nabcd\r\n0\r\n\r\n'],
    ['a size with a plus', '+4\r\nabcd\r\n0\r\n\r\n'],
    ['a size with a space', '4 \r\nabcd\r\n0\r\n\r\n'],
    ['no size', '\r\nabcd\r\n0\r\n\r\n'],
    ['line feeds only', '4\nabcd\n0\n\n'],
    ['more than they said', '4\r\nabcdX0\r\n\r\n'],
    ['a bare CR after the size', '4\rabcd\r\n0\r\n\r\n'],
    ['a line feed in an extension', '4;\nxx\r\nabcd\r\n0\r\n\r\n'],
    ['a NUL in an extension', '4;a\0b\r\nabcd\r\n0\r\n\r\n'],
    ['endless extensions', `4;${'x'.repeat(40_000)}\r\nabcd\r\n0\r\n\r\n`],
    ['endless trailers', `4\r\nabcd\r\n0\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`],
    ['a length among the trailers', '4\r\nabcd\r\n0\r\nContent-Length: 3\r\n\r\n'],
    ['a coding among the trailers', '4\r\nabcd\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a folded trailer', '4\r\nabcd\r\n0\r\nX: y\r\n z\r\n\r\n'],
  ])('with %s are refused', async (_name, body) => {
    const found = await ask(chunked(body) + SECOND);
    expectRefused(found, [400, 413, 431]);
    expect(smuggled()).toEqual([]);
    await until(() => edge.seen.every((call) => call.body === '(broken)' || call.body === 'none'));
  });

  it('that announce more than anybody may send are given up on in time', async () => {
    const found = await exchange(edge.port, chunked(`ffffffffffffffff\r\n${SECOND}`), { quietMs: 2000 });
    expectRefused(found, 400);
    expect(smuggled()).toEqual([]);
  });
});

describe('a body that nobody took', () => {
  it.each<[string, string, number]>([
    ['of a path that is not there', `POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n${SECOND}`, 404],
    [
      'of a module that is not there',
      `POST /api/v1/none HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n${SECOND}`,
      404,
    ],
    ['of a caller with a bad key', post(['X-API-Key: no', 'Content-Length: 400'], SECOND), 401],
    ['that is announced too large', post(['Content-Length: 4000000'], SECOND), 413],
    ['that is announced absurdly large', post(['Content-Length: 18446744073709551615'], SECOND), 413],
    [
      'that waits for “100 Continue”',
      post(['Expect: 100-continue', 'X-API-Key: no', 'Content-Length: 400'], SECOND),
      401,
    ],
    ['of chunks without end', post(['X-API-Key: no', 'Transfer-Encoding: chunked'], `fff\r\n${SECOND}`), 401],
  ])('%s is no request, and the connection ends', async (_name, bytes, status) => {
    expectRefused(await ask(bytes), status);
    expect(edge.seen).toEqual([]);
  });

  it('of GET counts for nothing; one that does not come ends the connection', async () => {
    const whole = await ask(`GET ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd${SECOND}`);
    expect(whole.answers.map(({ status }) => status)).toEqual([200, 200]);
    const cut = await ask(`GET ${ROOT} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n${SECOND}`);
    expect(cut.answers.map(({ status }) => status)).toEqual([200]);
    expect(cut.isClosed).toBe(true);
    expect(edge.seen.map(({ body }) => body)).toEqual(['none', 'none', 'none']);
  });

  it.each([
    ['a body too large', post(['Content-Length: 4000000000'])],
    ['garbage', '\0\r\n\r\n'],
    ['another version', `GET ${ROOT} HTTP/2.0\r\nHost: x\r\n\r\n`],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
  ])(
    'ends with an answer, not with a reset that overtakes it, while the client still sends: %s',
    async (_name, bytes) => {
      const patient = await startOpenEdge({ limits: { lingerPauseMs: 500, lingerMs: 2000 } });
      const socket = connect({ port: patient.port, host: '127.0.0.1', allowHalfOpen: true });
      let received = '';
      let failure: Error | undefined;
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      });
      socket.on('error', (error) => {
        failure = error;
      });
      socket.write(bytes);
      await until(() => received !== '');
      for (let count = 0; count < 6; count += 1) {
        await new Promise((resolve) => socket.write('x'.repeat(10_000), resolve));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      expect([failure, received.slice(0, 10)]).toEqual([undefined, expect.stringMatching(/^HTTP\/1\.1 [45]$/)]);
      // Not for ever.
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const more = setInterval(() => socket.write('x'), 10);
      await closed;
      clearInterval(more);
      await patient.close();
    },
  );

  it('that is slow to arrive in full leaves its sender the time to read the refusal, with the usual limits', async () => {
    const usual = await startOpenEdge({ limits: { lingerPauseMs: 5000, lingerMs: 30_000 } });
    const client = dial(usual.port, true);
    client.socket.write(post(['Content-Length: 4000000000']));
    await until(() => client.received().includes(' 413 '));
    // A client that reads nothing before it has sent what it has.
    for (let piece = 0; piece < 12; piece += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(client.socket.writable, `piece ${piece}`).toBe(true);
      client.socket.write('x'.repeat(10_000));
    }
    client.socket.destroy();
    await usual.close();
  });

  it('that was refused but is all there keeps the connection', async () => {
    const { answers, isClosed } = await ask(post(['X-API-Key: no', 'Content-Length: 4'], `abcd${SECOND}`));
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(isClosed).toBe(false);
  });
});

describe('bytes that come while an answer is owed', () => {
  it('end the connection after that answer, which is whole and the right one', async () => {
    const slow = await startOpenEdge({
      endpoints: { 'GET /': { run: () => new Promise((resolve) => setTimeout(resolve, 100, answer)) } },
    });
    const answer = { status: 200, headers: [], body: { kind: 'text', text: 'mine' } } as const;
    for (const junk of [
      '\0\0\0 garbage\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    ]) {
      const { answers, isClosed } = await exchange(slow.port, `GET ${ROOT} HTTP/1.1\r\nHost: x\r\n\r\n${junk}`);
      expect(
        answers.map(({ status, body }) => [status, body]),
        junk,
      ).toEqual(junk.startsWith('CONNECT') ? [] : [[200, 'mine']]);
      expect(isClosed).toBe(true);
    }
    const closing = `GET ${ROOT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${SECOND}`;
    expect((await exchange(slow.port, closing)).answers.map(({ body }) => body)).toEqual(['mine']);
    expect(slow.seen.every(({ url }) => url === `http://x${ROOT}`)).toBe(true);
    await slow.close();
  });

  it('are waited for once, however many come behind an answer that streams on', async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', note);
    let end = () => {};
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('data: 1\n\n'));
          end = () => controller.close();
        },
      });
    const run = () => ({ status: 200, headers: [], body: { kind: 'stream', stream: stream() } }) as const;
    const events = await startOpenEdge({ endpoints: { 'GET /': { run } } });
    const client = dial(events.port);
    client.socket.setNoDelay(true);
    client.socket.write(`GET ${ROOT} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => client.received().includes('data: 1'));
    for (let packet = 0; packet < 50; packet += 1) {
      await new Promise((resolve) => client.socket.write('\0garbage', resolve));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    end();
    await client.closed;
    expect(client.received()).toMatch(/\r\n0\r\n\r\n$/);
    expect(warnings).toEqual([]);
    process.off('warning', note);
    await events.close();
  });

  it('never get into the middle of an answer that streams', async () => {
    const streams = await startOpenEdge({
      endpoints: {
        'POST /': {
          run: (_request, { body }) => ({
            status: 200,
            headers: [],
            body: { kind: 'stream', stream: body.kind === 'stream' ? body.stream : new Blob().stream() },
          }),
        },
      },
      gateway: {},
      limits: { headersTimeoutMs: 150, requestTimeoutMs: 150 },
    });
    for (const rest of ['', 'zz\r\n']) {
      const { text, isClosed } = await exchange(
        streams.port,
        post(['Transfer-Encoding: chunked'], `4\r\nabcd\r\n${rest}`),
        {
          quietMs: 3000,
        },
      );
      expect(isClosed).toBe(true);
      // Either the refusal alone or the start of the answer alone.
      expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
    await streams.close();
  });
});
