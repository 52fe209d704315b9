/** Answers that are none, that come late, that say what no server may say. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';
import { LIES } from './abuse-lies.ts';

const USUAL: AbuseOutcome = { answers: ['200'], thread: 'lives', reasons: [], cell: 'lives', next: 'works' };
const INVALID = { answers: ['502 INVALID_MODULE_RESPONSE'] } as const;
const LATE = { answers: ['504 MODULE_TIMEOUT'] } as const;

const answer = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('answers', USUAL, name, { run, ...given });

/** Something like a Response, which has no rules of its own. */
const DUCK = `
const duck = (status, pairs = [], body = 'body') => ({
  status, body: null, headers: { get: () => null, *[Symbol.iterator]() { yield* pairs; } },
  arrayBuffer: async () => new TextEncoder().encode(body).buffer, text: async () => body,
});`;

/** Rewrites the next answer on its way through the kernel, past every check of the sdk. */
const REWRITE = `
const { join } = Array.prototype;
let rewrite;
Array.prototype.join = function (by) {
  const text = join.call(this, by);
  if (rewrite === undefined || by !== ',' || typeof this[0] !== 'string' || !text.includes('"type":"RAW"')) return text;
  const change = rewrite;
  rewrite = undefined;
  return change(text);
};
const say = (outcome) => { rewrite = (text) => '{"id":' + text.match(/"id":("[^"]*")/)[1] + ',"type":"RAW","value":' + outcome + '}'; return {}; };`;

const ducked = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  answer(name, run, { before: DUCK, ...given });
const forged = (name: string, outcome: unknown, given: AbuseGiven = {}): Abuse =>
  answer(name, `return say(${JSON.stringify(JSON.stringify(outcome))});`, { before: REWRITE, ...given });

const text = { kind: 'text', text: 'body' };
const withHeaders = (headers: unknown, status: unknown = 200, body: unknown = text) => ({
  ok: true,
  status,
  headers,
  body,
});
const many = (count: number, value: string) => Array.from({ length: count }, (_, n) => [`x-module-${n}`, value]);

const LATENESS: readonly Abuse[] = [
  answer('a promise that never settles', `return new Promise(() => {});`, LATE),
  answer('an answer after the deadline', `await wait(600); return { late: true };`, LATE),
  answer('a large answer after the deadline', `await wait(600); return new Response('x'.repeat(2_000_000));`, LATE),
  answer('an error after the deadline', `await wait(600); throw new HttpError(418, 'late');`, LATE),
  answer(
    'a stream after the deadline',
    `await wait(600); return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1000)); } }));`,
    LATE,
  ),
  answer(
    'a stream that stays silent',
    `return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));`,
    { answers: ['left'], leaveAfterMs: 1_000 },
  ),
  answer(
    'a stream that ends in an error',
    `let n = 0; return new Response(new ReadableStream({ pull(controller) { if (n++ < 3) controller.enqueue(new Uint8Array(1000)); else throw new Error('x'); } }));`,
    { answers: ['cut'] },
  ),
  answer('a hundred answers', `for (let n = 0; n < 100; n++) context.json({ n }); return context.json({ n: 100 });`),
];

const STATUSES: readonly Abuse[] = [
  ...[99, 1000, 101, 100, 0, -1, 199, 600].map((status) =>
    ducked(`the status ${status < 0 ? 'minus ' : ''}${Math.abs(status)}`, `return duck(${status});`, INVALID),
  ),
  ducked('the status infinity', `return duck(Infinity);`, INVALID),
  ducked('the status 200.5', `return duck(200.5);`, INVALID),
  forged(
    'a forged status 101',
    withHeaders(
      [
        ['upgrade', 'websocket'],
        ['connection', 'upgrade'],
      ],
      101,
    ),
    INVALID,
  ),
  forged('a forged status 99', withHeaders([], 99), INVALID),
  forged('a forged status 1000', withHeaders([], 1000), INVALID),
  forged('a forged status that is text', withHeaders([], '200 OK\r\nx-injected: yes'), INVALID),
  ducked('a body with 204', `return duck(204, [['content-length', '4']]);`, { answers: ['204'] }),
  ducked('a body with 304', `return duck(304, [['content-length', '4'], ['etag', '"x"']]);`, { answers: ['304'] }),
  forged('a forged body with 204', withHeaders([['content-length', '4']], 204), { answers: ['204'] }),
  forged('a forged body with 205', withHeaders([['content-length', '4']], 205), { answers: ['205'] }),
  forged('a forged body with 304', withHeaders([['content-length', '4']], 304), { answers: ['304'] }),
  answer(
    'a body to HEAD',
    `return new Response('HTTP/1.1 200 OK\\r\\n\\r\\nx'.repeat(1000), { headers: { 'content-length': '4' } });`,
    { method: 'HEAD' },
  ),
  answer(
    'a stream to HEAD',
    `return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1000)); } }));`,
    { method: 'HEAD' },
  ),
];

const HEADERS: readonly Abuse[] = [
  answer(
    'a line break in a header',
    `return new Response('x', { headers: { 'x-module-a': 'a\\r\\nset-cookie: a=b' } });`,
    { answers: ['500 MODULE_ERROR'] },
  ),
  ducked(
    'a line break in a header of its own making',
    `return duck(200, [['x-module-a', 'a\\r\\nset-cookie: a=b']]);`,
    INVALID,
  ),
  ducked('a line break in a header’s name', `return duck(200, [['x-module-a\\r\\nset-cookie', 'a=b']]);`),
  forged(
    'a forged line break in a header',
    withHeaders([['x-module-a', 'a\r\n\r\nHTTP/1.1 200 OK\r\nx-injected: yes']]),
    INVALID,
  ),
  forged('a forged NUL in a header', withHeaders([['x-module-a', 'a\0b']]), INVALID),
  forged('a forged letter beyond latin1 in a header', withHeaders([['x-module-a', '嘊嘍set-cookie: a=b']]), INVALID),
  ducked(
    'cookies',
    `return duck(200, [['set-cookie', 'a=b'], ['Set-Cookie', 'session=stolen; Domain=.example.com'], ['set-cookie2', 'a=b']]);`,
  ),
  ducked(
    'headers of a browser’s security',
    `return duck(200, [['access-control-allow-origin', '*'], ['content-security-policy', ''], ['x-injected', '1'], ['clear-site-data', '"*"'], ['strict-transport-security', 'max-age=0'], ['service-worker-allowed', '/']]);`,
  ),
  ducked(
    'hop-by-hop headers',
    `return duck(200, [['connection', 'close, x-request-id'], ['keep-alive', 'timeout=0'], ['transfer-encoding', 'chunked'], ['te', 'trailers'], ['trailer', 'x-injected'], ['upgrade', 'h2c'], ['proxy-authenticate', 'Basic']]);`,
  ),
  ...['0', '1', '1000', '-1', '4, 4', 'abc'].map((length) =>
    ducked(
      `a content-length of ${length.replace('-', 'minus ').replace(', ', ' and ')}`,
      `return duck(200, [['content-length', '${length}']]);`,
    ),
  ),
  ducked(
    'two lengths and a chunked body',
    `return duck(200, [['content-length', '1'], ['content-length', '2'], ['transfer-encoding', 'chunked']], '0\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nx-injected: yes\\r\\n\\r\\n');`,
  ),
  ducked('a body that is said to be compressed', `return duck(200, [['content-encoding', 'gzip']]);`),
  answer(
    'ten thousand headers',
    `const headers = new Headers(); for (let n = 0; n < 10_000; n++) headers.append('x-module-' + n, 'y'); return new Response('x', { headers });`,
    INVALID,
  ),
  answer(
    'a header of 100 kB',
    `return new Response('x', { headers: { 'x-module-a': 'y'.repeat(100_000) } });`,
    INVALID,
  ),
  forged('forged headers of 500 kB', withHeaders(many(64, 'y'.repeat(8_000))), INVALID),
  forged('forged headers that are not pairs', withHeaders([['x-module-a'], ['x-module-b', 'c', 'd'], 'x']), INVALID),
  forged(
    'a forged header called __proto__',
    withHeaders([
      ['__proto__', 'x'],
      ['constructor', 'x'],
      ['content-type', 'text/plain'],
    ]),
  ),
  forged('a forged location of a script', withHeaders([['location', 'javascript:alert(1)']], 302), INVALID),
  forged(
    'forged headers of an error',
    {
      ok: false,
      code: 'MODULE_HTTP_ERROR',
      status: 401,
      message: 'x',
      headers: [
        ['www-authenticate', 'Basic'],
        ['set-cookie', 'a=b'],
        ['x-module-a', 'a\r\nb'],
      ],
    },
    INVALID,
  ),
];

const SHAPES: readonly Abuse[] = [
  answer('a circle', `const circle = {}; circle.circle = circle; return circle;`, INVALID),
  answer('a BigInt', `return { n: 1n };`, INVALID),
  answer('a function', `return () => {};`, INVALID),
  answer(
    'a thenable that settles twice',
    `return { then(done, fail) { done({ first: 1 }); done({ second: 1 }); fail(1); } };`,
  ),
  answer(
    'an error that is a proxy',
    `throw new Proxy(function () {}, { get() { throw 1; }, has() { throw 1; }, ownKeys() { throw 1; }, getPrototypeOf() { throw 1; } });`,
    { answers: ['500 MODULE_ERROR'] },
  ),
  answer('a status of an error that is none', `throw Object.assign(new HttpError(404, 'x'), { status: 1e9 });`, {
    ...INVALID,
  }),
  answer('text that is no Unicode', `return { text: '\\ud800'.repeat(1000), '\\udfff': '\\0' };`),
  forged('a forged answer that is a number', 1, INVALID),
  forged(
    'a forged answer with further keys',
    { ...withHeaders([]), __proto__: null, constructor: 'x', isAdmin: true },
    INVALID,
  ),
  forged(
    'a forged answer with a stream that there is not',
    withHeaders([], 200, { kind: 'stream', stream: 999 }),
    INVALID,
  ),
  forged(
    'a forged answer with a code of the host’s',
    { ok: false, code: 'UNAUTHENTICATED', message: 'Enter your password.' },
    INVALID,
  ),
];

export const ANSWERS: readonly Abuse[] = [...LATENESS, ...STATUSES, ...HEADERS, ...SHAPES, ...LIES];
