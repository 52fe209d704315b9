/** Code that sends more than anybody can take: to the host, to its own timers, to its log. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse, SINK } from './abuse.ts';

const USUAL: AbuseOutcome = {
  answers: ['503 MODULE_CRASHED'],
  thread: 'ends',
  reasons: [],
  cell: 'lives',
  next: 'works',
};
/** It never lets its event loop turn, so nothing that it does gets past its deadline. */
const STUCK = { answers: ['504 MODULE_TIMEOUT'], reasons: ['stuck'], timeoutS: 0.5 } as const;
const LIVES = { answers: ['200'], thread: 'lives' } as const;
/** As many lines as a host with the usual settings takes in these few seconds, and its own about the module. */
const FEW_LINES = 5_000;

const flood = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('floods', USUAL, name, { run, timeoutS: 10, ...given });

/** A limit that a thread can also reach on a machine with other things to do, long before it reaches any other. */
const LOW = { 'limits.calls_per_second': '50', 'limits.log_lines_per_second': '5' };
const low = (name: string, reason: 'calls' | 'lines', run: string, given: AbuseGiven = {}): Abuse =>
  flood(name, run, { reasons: [reason], settings: LOW, ...given });

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

/** With the usual limits. */
export const USUAL_FLOODS: readonly Abuse[] = [
  flood(
    'log lines, a thousand at a time',
    `for (let n = 0; n < 200; n++) { for (let m = 0; m < 1000; m++) this.logger.error('line', { n, m }); await wait(1); } return {};`,
    { ...LIVES, atLeast: { lines: 20_000 }, atMost: { logged: FEW_LINES } },
  ),
  flood(
    'long log lines',
    `for (;;) { for (let m = 0; m < 50; m++) this.logger.info('x'.repeat(100_000)); await wait(0); }`,
    { reasons: ['bytes'], atLeast: { lines: 1_000 } },
  ),
  flood(
    'log fields without end',
    `const fields = {}; for (let n = 0; n < 1_000; n++) fields['key' + n] = { n }; for (;;) { this.logger.info('fields', fields); await null; }`,
    { reasons: ['bytes'], atLeast: { lines: 1_000 }, memoryMb: 64 },
  ),
  flood(
    'calls of the host that nobody waits for',
    `for (;;) { for (let n = 0; n < 100; n++) this.http.fetch('https://example.com/').catch(() => {}); await null; }`,
    { reasons: ['bytes'], atLeast: { calls: 5_000 }, memoryMb: 128 },
  ),
  flood(
    'calls of the host, a thousand at a time',
    `for (;;) await Promise.all(Array.from({ length: 1000 }, () => this.http.fetch('https://example.com/').catch(() => {})));`,
    { reasons: ['bytes'], atLeast: { calls: 5_000 } },
  ),
  flood(
    'calls of the host with large arguments',
    `for (;;) await this.http.fetch('https://example.com/', { method: 'POST', body: 'x'.repeat(900_000) }).catch(() => {});`,
    { reasons: ['bytes'] },
  ),
  flood(
    'calls of the host whose rejections nobody handles',
    `for (;;) { for (let n = 0; n < 1000; n++) this.http.fetch('https://example.com/'); await wait(1); }`,
    { reasons: ['bytes'], atLeast: { calls: 5_000 } },
  ),
  flood(
    'requests, a thousand at a time',
    `for (let n = 0; n < 10; n++) await Promise.all(Array.from({ length: 1000 }, () => this.http.fetch('${SINK}/').then((reply) => reply.text()).catch(() => {}))); return {};`,
    { ...LIVES },
  ),
  flood(
    'requests that are never answered',
    `for (let n = 0; n < 1000; n++) this.http.fetch('${SINK}/silent').catch(() => {}); await wait(100); return {};`,
    { ...LIVES },
  ),
  flood(
    'uploads that nobody takes',
    `for (let n = 0; n < 100; n++) { this.http.fetch('${SINK}/silent', { method: 'POST', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }), duplex: 'half' }).catch(() => {}); await wait(1); } return {};`,
    { ...LIVES },
  ),
  flood(
    'uploads without end',
    `for (;;) { this.http.fetch('${SINK}/', { method: 'POST', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }), duplex: 'half' }).catch(() => {}); await wait(1); }`,
    { reasons: ['bytes'] },
  ),
  flood(
    'answers that nobody reads',
    `for (let n = 0; n < 1000; n++) { await this.http.fetch('${SINK}/').catch(() => {}); } return {};`,
    { ...LIVES },
  ),
  flood('timers', `for (;;) { try { setTimeout(() => {}, 1e6); } catch { await null; } }`, STUCK),
  flood('intervals', `for (let n = 0; n < 9_000; n++) setInterval(() => {}, 1); return new Promise(() => {});`, {
    answers: ['504 MODULE_TIMEOUT'],
    thread: 'lives',
    timeoutS: 1,
  }),
  flood('timers that are set and cleared', `for (;;) clearTimeout(setTimeout(() => {}, 1e6));`, { reasons: ['heap'] }),
  flood(
    'timers that throw',
    `for (let n = 0; n < 100; n++) { for (let m = 0; m < 200; m++) setTimeout(() => { throw new Error('x'.repeat(100)); }, 1); await wait(5); } return {};`,
    { ...LIVES, atLeast: { lines: 2_000 }, atMost: { logged: FEW_LINES } },
  ),
  flood('rejections that nobody handles', `for (;;) Promise.reject(new Error('x'));`, { reasons: ['heap'] }),
  flood(
    'rejections that nobody handles, a thousand at a time',
    `for (;;) { for (let n = 0; n < 1000; n++) Promise.reject(new Error('x')); await wait(0); }`,
    { answers: ['504 MODULE_TIMEOUT'], thread: 'lives', timeoutS: 1, atLeast: { lines: 1 }, atMost: { logged: 100 } },
  ),
  flood('microtasks that throw', `const again = () => { queueMicrotask(again); throw new Error('x'); }; again();`, {
    answers: ['500 MODULE_ERROR'],
    reasons: ['bytes'],
    atLeast: { lines: 1_000 },
  }),
  flood(
    'events that raise events',
    `const target = new EventTarget(); target.addEventListener('x', () => { target.dispatchEvent(new Event('x')); }); target.dispatchEvent(new Event('x')); return {};`,
    LIVES,
  ),
  flood('listeners on a signal', `for (;;) context.signal.addEventListener('abort', () => {});`, {
    ...STUCK,
  }),
  flood(
    'a stream of single bytes',
    `let n = 0; return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1)); if (++n === 200_000) controller.close(); } }));`,
    { answers: ['cut'], reasons: ['bytes'] },
  ),
  flood(
    'a stream without end',
    `return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }));`,
    { answers: ['left'], thread: 'lives', leaveAfterMs: 1_500, atLeast: { bytes: 100_000 } },
  ),
  flood(
    'streams that nobody asked for',
    `for (;;) { this.http.fetch('https://example.com/', { method: 'POST', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }), duplex: 'half' }).catch(() => {}); await wait(0); }`,
    { reasons: ['bytes'] },
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
    `const messages = Array.from({ length: 5_000 }, (_, n) => '{"stream":' + (n + 1) + ',"op":"end"}'); for (;;) await say(this, join.call(messages, ','));`,
    { before: FORGE, reasons: ['bytes'] },
  ),
  flood('forged frames that nest', `for (;;) await say(this, '['.repeat(20_000) + ']'.repeat(20_000));`, {
    before: FORGE,
    reasons: ['violations'],
  }),
  flood(
    'forged frames of many megabytes',
    `const text = '[' + '0,'.repeat(3_000_000) + '0]'; for (;;) await say(this, text);`,
    { before: FORGE, memoryMb: 64, reasons: ['flood'] },
  ),
];

/** With limits so low that the thread is ended for this and nothing else. */
export const LOW_FLOODS: readonly Abuse[] = [
  low(
    'log lines without a pause',
    'lines',
    `for (let n = 0; ; n++) { this.logger.info('line ' + n); if (n % 100 === 0) await null; }`,
  ),
  low(
    'console output',
    'lines',
    `for (;;) { for (let m = 0; m < 100; m++) console.error('line', { m }); await wait(0); }`,
  ),
  low(
    'refused calls, a hundred at a time',
    'calls',
    `for (;;) { await Promise.all(Array.from({ length: 100 }, () => this.http.fetch('https://example.com/').catch(() => {}))); await wait(1); }`,
  ),
  low(
    'requests in flight, three hundred at a time',
    'calls',
    `for (;;) { for (let n = 0; n < 300; n++) this.http.fetch('${SINK}/silent').catch(() => {}); await wait(20); }`,
  ),
];

export const FLOODS: readonly Abuse[] = [...USUAL_FLOODS, ...LOW_FLOODS];
