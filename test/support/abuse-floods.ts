/** Code that sends more than anybody can take: to the host, to its own timers, to its log. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse, SINK } from './abuse.ts';

const USUAL: AbuseOutcome = {
  answers: ['503 MODULE_CRASHED'],
  thread: 'ends',
  reasons: [],
  cell: 'lives',
  next: 'works',
};
/** Whether the host counts what is too much for it, or its cell sees that it does not get rid of it, is a matter of speed. */
const OUTRUN = ['bytes', 'flood'];
/** What is full may be deep in the collector, and not end when it is told to. */
const FULL = ['heap', 'stuck'];
/** It never lets its event loop turn, so nothing that it does gets past its deadline. */
const STUCK = { answers: ['504 MODULE_TIMEOUT'], reasons: ['stuck'], timeoutS: 0.5 } as const;
const LIVES = { answers: ['200'], thread: 'lives' } as const;
/** As many lines as a host with the usual settings takes in these few seconds, and its own about the module. */
const FEW_LINES = 5_000;

/** Nobody was granted this; and it is long, so that a slow machine sends more of them than it may, too. */
const ELSEWHERE = `https://example.com/${'x'.repeat(2_000)}`;
/** The host opens 32 requests of a module, and here and there one of them has ended and the other side is yet to hear. */
const AT_ONCE = 40;
const UPLOAD = `{ method: 'POST', duplex: 'half', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }) }`;

/**
 * Its time may be over on a slow machine before it has sent too much; the thread goes on, and is ended for that. What is
 * costly to write (`either`) may stay below the limit there; CALL_FLOODS holds the same to limits that it does reach.
 */
const SENDS = { answers: [...USUAL.answers, '504 MODULE_TIMEOUT'], reasons: ['bytes'], memoryMb: 128 } as const;

const flood = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('floods', USUAL, name, { run, timeoutS: 10, ...given });

/** So low that a thread reaches it on a slow machine too, and long before any other. */
const lines = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  flood(name, run, { reasons: ['lines'], settings: { 'limits.log_lines_per_second': '5' }, ...given });
const calls = (name: string, run: string): Abuse =>
  flood(name, run, { reasons: ['calls'], memoryMb: 128, settings: { 'limits.calls_per_second': '50' } });

/**
 * The kernel joins the messages of a turn with Array.prototype.join, which is the module's to replace: so it can say to
 * its port whatever it wants.
 */
const FORGE = `
const { join } = Array.prototype;
let forged;
Array.prototype.join = function (by) {
  if (forged === undefined || by !== ',' || typeof this[0] !== 'string' || this[0][0] !== '{') return join.call(this, by);
  const text = forged;
  forged = undefined;
  return text;
};
const say = async (module, text) => { forged = text; module.logger.info('go'); await wait(1); };`;

const USUAL_FLOODS: readonly Abuse[] = [
  flood(
    'log lines, a thousand at a time',
    `for (let n = 0; n < 200; n++) { for (let m = 0; m < 1000; m++) this.logger.error('line', { n, m }); await wait(1); } return {};`,
    { ...LIVES, atLeast: { lines: 20_000 }, atMost: { logged: FEW_LINES } },
  ),
  flood(
    'long log lines',
    `const text = 'x'.repeat(100_000); for (;;) { for (let m = 0; m < 50; m++) this.logger.info(text); await wait(0); }`,
    { reasons: OUTRUN, atLeast: { lines: 300 }, memoryMb: 128 },
  ),
  flood(
    'calls of the host, a thousand at a time',
    `for (;;) await Promise.all(Array.from({ length: 1000 }, () => this.http.fetch('${ELSEWHERE}').catch(() => {})));`,
    { ...SENDS, thread: 'either', atLeast: { calls: 5_000 } },
  ),
  flood(
    'calls of the host with large arguments',
    `const body = 'x'.repeat(900_000); for (;;) await Promise.all([1, 2, 3, 4].map(() => this.http.fetch('https://example.com/', { method: 'POST', body }).catch(() => {})));`,
    { ...SENDS, reasons: OUTRUN },
  ),
  flood(
    'calls of the host whose rejections nobody handles',
    `for (;;) { for (let n = 0; n < 100; n++) this.http.fetch('${ELSEWHERE}'); await wait(1); }`,
    { ...SENDS, thread: 'either', reasons: OUTRUN, atLeast: { calls: 5_000 } },
  ),
  flood(
    'requests, a thousand at a time',
    `for (let n = 0; n < 3; n++) await Promise.all(Array.from({ length: 1000 }, () => this.http.fetch('${SINK}/').then((reply) => reply.text()).catch(() => {}))); return {};`,
    { ...LIVES, atLeast: { calls: 3_000, requests: 64 }, atMost: { requests: 300, requestsAtOnce: AT_ONCE } },
  ),
  flood(
    'requests that are never answered',
    `for (let n = 0; n < 1000; n++) this.http.fetch('${SINK}/silent').catch(() => {}); await wait(200); return {};`,
    { ...LIVES, atLeast: { calls: 1_000, requests: 16 }, atMost: { requests: AT_ONCE, requestsAtOnce: AT_ONCE } },
  ),
  flood(
    'answers that nobody reads',
    `this.kept = []; for (let n = 0; n < 1000; n++) this.kept.push(await this.http.fetch('${SINK}/large').catch(() => {})); return {};`,
    // Each holds a connection, of which a module has sixteen to one host: then it waits, and its time is over.
    {
      answers: ['504 MODULE_TIMEOUT'],
      thread: 'lives',
      timeoutS: 3,
      atLeast: { requests: 16 },
      atMost: { requests: 32 },
    },
  ),
  flood(
    'uploads that nobody takes',
    `for (let n = 0; n < 40; n++) this.http.fetch('${SINK}/silent', ${UPLOAD}).catch(() => {}); await wait(200); return {};`,
    {
      ...LIVES,
      memoryMb: 128,
      atLeast: { calls: 40, requests: 16 },
      atMost: { requests: AT_ONCE, requestsAtOnce: AT_ONCE },
    },
  ),
  flood('uploads without end', `for (;;) { this.http.fetch('${SINK}/', ${UPLOAD}).catch(() => {}); await wait(1); }`, {
    reasons: OUTRUN,
    atLeast: { requests: 4 },
  }),
  flood('timers', `for (;;) { try { setTimeout(() => {}, 1e6); } catch { await null; } }`, STUCK),
  flood('intervals', `for (let n = 0; n < 9_000; n++) setInterval(() => {}, 1); return new Promise(() => {});`, {
    answers: ['504 MODULE_TIMEOUT'],
    thread: 'lives',
    timeoutS: 1,
  }),
  flood('timers that are set and cleared', `for (;;) clearTimeout(setTimeout(() => {}, 1e6));`, { reasons: FULL }),
  flood(
    'timers that throw',
    `for (let n = 0; n < 20; n++) { for (let m = 0; m < 200; m++) setTimeout(() => { throw new Error('x'.repeat(1000)); }, 1); await wait(10); } return {};`,
    { ...LIVES, atLeast: { lines: 1_000 }, atMost: { logged: FEW_LINES } },
  ),
  flood('rejections that nobody handles', `for (;;) Promise.reject(new Error('x'));`, { reasons: FULL }),
  flood(
    'rejections that nobody handles, a thousand at a time',
    `for (;;) { for (let n = 0; n < 1000; n++) Promise.reject(new Error('x')); await wait(0); }`,
    { answers: ['504 MODULE_TIMEOUT'], thread: 'lives', timeoutS: 1, atLeast: { lines: 1 }, atMost: { logged: 100 } },
  ),
  flood(
    'events that raise events',
    `const target = new EventTarget(); target.addEventListener('x', () => { target.dispatchEvent(new Event('x')); }); target.dispatchEvent(new Event('x')); return {};`,
    LIVES,
  ),
  flood('listeners on a signal', `for (;;) context.signal.addEventListener('abort', () => {});`, STUCK),
  flood(
    'a stream of single bytes',
    `let n = 0; return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1)); if (++n === 200_000) controller.close(); } }));`,
    // A slow machine sends them slower than the limit.
    { answers: ['cut', '200'], thread: 'either', reasons: ['bytes'], atLeast: { bytes: 20_000_000 } },
  ),
  flood(
    'a stream without end',
    `return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }));`,
    { answers: ['left'], thread: 'lives', leaveAfterMs: 1_500, atLeast: { bytes: 100_000 } },
  ),
  flood(
    'streams that nobody asked for',
    `for (;;) { this.http.fetch('https://example.com/', ${UPLOAD}).catch(() => {}); await wait(0); }`,
    { reasons: OUTRUN, memoryMb: 128 },
  ),
  flood(
    'random numbers and digests',
    `for (;;) await crypto.subtle.digest('SHA-512', crypto.getRandomValues(new Uint8Array(65_536)));`,
    STUCK,
  ),
  flood('forged frames', `for (;;) await say(this, '{"id":"x","type":"CONSTRUCT","path":["http","constructor"]}');`, {
    before: FORGE,
    reasons: ['violations'],
  }),
  flood(
    'forged frames without pause',
    `const messages = Array.from({ length: 2_000 }, (_, n) => '{"id":"' + n + '","type":"APPLY","path":["log","write"],"argumentList":[{"type":"RAW","value":[]}]}'); for (;;) await say(this, join.call(messages, ','));`,
    { before: FORGE, reasons: OUTRUN },
  ),
  flood('forged frames that nest', `for (;;) await say(this, '['.repeat(20_000) + ']'.repeat(20_000));`, {
    before: FORGE,
    reasons: ['violations'],
  }),
  flood(
    'forged frames of many megabytes',
    `const text = '[' + '0,'.repeat(3_000_000) + '0]'; for (;;) await say(this, text);`,
    { before: FORGE, memoryMb: 128, reasons: OUTRUN },
  ),
];

const LINE_FLOODS: readonly Abuse[] = [
  lines(
    'log lines without a pause',
    `for (let n = 0; ; n++) { this.logger.info('line ' + n); if (n % 100 === 0) await null; }`,
    // No answer gets in, so each line waits for its own: on a slow machine the heap is full of them first.
    { memoryMb: 128, reasons: ['lines', 'heap'] },
  ),
  lines(
    'log fields without end',
    `const fields = {}; for (let n = 0; n < 1_000; n++) fields['key' + n] = { n }; for (;;) { for (let m = 0; m < 10; m++) this.logger.info('fields', fields); await wait(0); }`,
    // Without a pause a slow machine has its own heap full before the host has counted so many lines.
    { memoryMb: 64 },
  ),
  lines('console output', `for (;;) { for (let m = 0; m < 100; m++) console.error('line', { m }); await wait(0); }`),
  lines(
    'microtasks that throw',
    `const again = () => { queueMicrotask(again); throw new Error('x'); }; again();`,
    // It answers before its first microtask runs, but may be ended before that is read.
    { answers: ['500 MODULE_ERROR', ...USUAL.answers], memoryMb: 128, reasons: ['lines', 'heap'] },
  ),
];

const CALL_FLOODS: readonly Abuse[] = [
  calls(
    'calls of the host that nobody waits for',
    `for (;;) { for (let n = 0; n < 100; n++) this.http.fetch('https://example.com/').catch(() => {}); await null; }`,
  ),
  calls(
    'refused calls, a hundred at a time',
    `for (;;) { await Promise.all(Array.from({ length: 100 }, () => this.http.fetch('https://example.com/').catch(() => {}))); await wait(1); }`,
  ),
  calls(
    'requests in flight, three hundred at a time',
    `for (;;) { for (let n = 0; n < 300; n++) this.http.fetch('${SINK}/silent').catch(() => {}); await wait(20); }`,
  ),
];

export const FLOODS: readonly Abuse[] = [...USUAL_FLOODS, ...LINE_FLOODS, ...CALL_FLOODS];
