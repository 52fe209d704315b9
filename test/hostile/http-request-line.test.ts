/** Request lines, hosts and protocols that are not what they should be: each is refused with a problem, none reaches a module. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, expectRefused } from '../support/expect-refused.ts';
import { type OpenEdge, ROOT, startOpenEdge } from '../support/open-edge.ts';
import { exchange } from '../support/raw-http.ts';

let edge: OpenEdge;
beforeAll(async () => {
  edge = await startOpenEdge();
});
afterAll(() => edge.close());
afterEach(() => edge.seen.splice(0));

const SECOND = `GET ${ROOT}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;
const ask = (bytes: string | Buffer) => exchange(edge.port, bytes);

const post = (headers: readonly string[], body = '', line = `POST ${ROOT} HTTP/1.1`) =>
  `${[line, 'Host: x', 'Content-Type: application/octet-stream', ...headers].join('\r\n')}\r\n\r\n${body}`;

describe('a host', () => {
  const get = (host: string) => ask(Buffer.from(`GET ${ROOT} HTTP/1.1\r\n${host}\r\n${SECOND}`, 'latin1'));

  it.each([
    'Host: x\r\nHost: y\r\n',
    'Host: x\r\nHost: x\r\n',
    'Host: x\r\nhOsT: y\r\n',
    '',
    'Host:\r\n',
    'Host: x, y\r\n',
    'Host: a@b\r\n',
    'Host: a/b\r\n',
    'Host: a\\b\r\n',
    'Host: a?b\r\n',
    'Host: a#b\r\n',
    'Host: a"b\r\n',
    'Host: a b\r\n',
    'Host: a\tb\r\n',
    'Host: a%2fb\r\n',
    'Host: a:99999\r\n',
    'Host: a:8x\r\n',
    'Host: a:\r\n',
    'Host: [::1\r\n',
    'Host: http://a\r\n',
    'Host: <script>\r\n',
    'Host: caf\xe9\r\n',
    'Host: a:65536\r\n',
    'Host: 1.2.3.999\r\n',
    'Host: 127.1\r\n',
    'Host: 2130706433\r\n',
    'Host: [::::]\r\n',
    `Host: ${'a'.repeat(300)}\r\n`,
  ])('is one and plain: %j is refused', async (header) => {
    expectRefused(await get(header));
    expect(edge.seen).toEqual([]);
  });

  it.each(['x', 'EXAMPLE.com:80', 'a_b:8080', '127.0.0.1', '[::1]:8080'])('%s is fine', async (host) => {
    const { answers } = await get(`Host: ${host}\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(edge.seen[0]?.url).toBe(`http://${host.toLowerCase()}${ROOT}`);
  });

  it.each([
    `http://other.example${ROOT}`,
    `http://x@y${ROOT}`,
    `http://u:p@x${ROOT}`,
    `http://x:80${ROOT}`,
    `https://x${ROOT}`,
    `HTTP://x${ROOT}`,
    `ftp://x${ROOT}`,
    `//x${ROOT}`,
    'http://x',
    `http://x?${ROOT}`,
    `http://x#${ROOT}`,
    `http://x\\${ROOT}`,
    `x${ROOT}`,
    'x:80',
    '*',
    '?',
    '',
  ])('in the target is the one of the header, or the request is refused: %s', async (target) => {
    const { answers } = await ask(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(answers).toHaveLength(1);
    expectProblem(answers[0], [400, 404]);
    expect(edge.seen).toEqual([]);
  });
});

describe('two headers where one is meant', () => {
  it.each([
    'Authorization: Bearer a\r\nAuthorization: Bearer b',
    'authorization: Bearer a\r\nAUTHORIZATION: Bearer a',
    'Content-Type: text/plain\r\nContent-Type: application/json',
  ])('are refused: %j', async (headers) => {
    expectRefused(await ask(`POST ${ROOT} HTTP/1.1\r\nHost: x\r\n${headers}\r\nContent-Length: 2\r\n\r\n{}`));
    expect(edge.seen).toEqual([]);
  });

  it('open nothing as API keys', async () => {
    const { answers } = await ask(`GET ${ROOT} HTTP/1.1\r\nHost: x\r\nX-API-Key: a\r\nX-API-Key: b\r\n\r\n`);
    expectProblem(answers[0], 401);
  });
});

describe('what is no HTTP/1.1', () => {
  it.each<[string, string | Buffer, number]>([
    ['HTTP/0.9', `GET ${ROOT}\r\n\r\n`, 505],
    ['HTTP/0.9 with a host', `GET ${ROOT}\r\nHost: x\r\n\r\n`, 505],
    ['HTTP/1.2', `GET ${ROOT} HTTP/1.2\r\nHost: x\r\n\r\n`, 400],
    ['HTTP/2.0 in a request line', `GET ${ROOT} HTTP/2.0\r\nHost: x\r\n\r\n`, 505],
    ['HTTP/3.0 in a request line', `GET ${ROOT} HTTP/3.0\r\nHost: x\r\n\r\n`, 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 400],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), 400],
    ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n', 400],
    ['nothing but NUL', Buffer.alloc(2000), 400],
    ['a method in lower case', `get ${ROOT} HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ['a method that nobody knows', `FOO ${ROOT} HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ['a space in the path', `GET ${ROOT}/a b HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ['latin1 in the path', Buffer.from(`GET ${ROOT}/caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'), 400],
    ['latin1 in the query', Buffer.from(`GET ${ROOT}?caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'), 400],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', 405],
    ['another expectation', `POST ${ROOT} HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 4\r\n\r\nabcd`, 417],
  ])('is refused: %s', async (_name, bytes, status) => {
    expectRefused(await ask(bytes), status);
    expect(edge.seen).toEqual([]);
  });

  it('is spoken about in the client’s own request id', async () => {
    const { answers } = await ask(`GET ${ROOT} HTTP/2.0\r\nHost: x\r\nX-Request-Id: my-own-id-1\r\n\r\n`);
    expect(answers[0]?.headers['x-request-id']).toBe('my-own-id-1');
  });

  it.each(['TRACE', 'QUERY', 'PURGE', 'PROPFIND', 'LINK'])(
    '%s reaches no module and mirrors nothing',
    async (method) => {
      for (const path of [ROOT, '/healthz', '/console']) {
        const { answers } = await ask(`${method} ${path} HTTP/1.1\r\nHost: x\r\nCookie: key=s3cret\r\n\r\n`);
        expectProblem(answers[0], [403, 404, 405]);
        expect(answers[0]?.body).not.toContain('s3cret');
      }
      expect(edge.seen).toEqual([]);
    },
  );

  it.each(['websocket', 'h2c', 'TLS/1.0', 'x'])(
    'an upgrade to %s does not happen, and ends the connection',
    async (to) => {
      const upgrade = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${to}\r\nHTTP2-Settings: AAMAAABk\r\n`;
      for (const request of [
        `GET ${ROOT} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${SECOND}`,
        post([...upgrade.trimEnd().split('\r\n'), 'Content-Length: 4'], `abcd${SECOND}`),
      ]) {
        const { answers, isClosed } = await ask(request);
        expect(answers.map(({ status }) => status)).toEqual([200]);
        expect(answers[0]?.headers.connection).toBe('close');
        expect(isClosed).toBe(true);
      }
      expect(edge.seen.map(({ url }) => url)).toEqual([`http://x${ROOT}`, `http://x${ROOT}`]);
      expect(Object.keys(edge.seen[0]?.headers ?? {})).not.toContain('upgrade');
    },
  );
});
