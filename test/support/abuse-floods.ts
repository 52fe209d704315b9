/** Code that sends more than anybody can take: to the host, to its own timers, to its log. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';

const USUAL: AbuseOutcome = {
  answers: ['200', '503 MODULE_CRASHED', '503 MODULE_UNAVAILABLE', '504 MODULE_TIMEOUT'],
  thread: 'either',
  reasons: ['flood', 'bytes', 'calls', 'lines', 'stuck', 'delay', 'cpu', 'cpu_budget', 'heap', 'external', 'memory'],
  cell: 'lives',
  next: 'works',
};
const ENDED = {
  answers: ['503 MODULE_CRASHED', '503 MODULE_UNAVAILABLE', '504 MODULE_TIMEOUT'],
  thread: 'ends',
} as const;

const flood = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('floods', USUAL, name, { run, timeoutS: 1, ...given });

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

export const FLOODS: readonly Abuse[] = [
  flood('log lines without a pause', `for (let n = 0; ; n++) this.logger.info('line ' + n);`, ENDED),
  flood(
    'log lines, a thousand at a time',
    `for (let n = 0; n < 200; n++) { for (let m = 0; m < 1000; m++) this.logger.error('line', { n, m }); await wait(1); } return {};`,
  ),
  flood(
    'long log lines',
    `for (;;) { for (let m = 0; m < 50; m++) this.logger.info('x'.repeat(100_000)); await wait(0); }`,
  ),
  flood('console output', `for (;;) { for (let m = 0; m < 1000; m++) console.error('line', { m }); await wait(0); }`),
  flood(
    'log fields without end',
    `const fields = {}; for (let n = 0; n < 100_000; n++) fields['key' + n] = { n }; for (;;) { this.logger.info('fields', fields); await null; }`,
    ENDED,
  ),
  flood(
    'calls of the host that nobody waits for',
    `for (;;) this.http.fetch('https://example.com/').catch(() => {});`,
    ENDED,
  ),
  flood(
    'calls of the host, a thousand at a time',
    `for (;;) await Promise.all(Array.from({ length: 1000 }, () => this.http.fetch('https://example.com/').catch(() => {})));`,
  ),
  flood(
    'calls of the host with large arguments',
    `for (;;) await this.http.fetch('https://example.com/', { method: 'POST', body: 'x'.repeat(900_000) }).catch(() => {});`,
  ),
  flood(
    'calls of the host whose rejections nobody handles',
    `for (;;) { for (let n = 0; n < 1000; n++) this.http.fetch('https://example.com/'); await wait(1); }`,
  ),
  flood('timers', `for (;;) { try { setTimeout(() => {}, 1e6); } catch { await null; } }`, ENDED),
  flood('intervals', `for (let n = 0; n < 9_000; n++) setInterval(() => {}, 1); return new Promise(() => {});`, {
    answers: ['504 MODULE_TIMEOUT', '503 MODULE_CRASHED'],
  }),
  flood('timers that are set and cleared', `for (;;) clearTimeout(setTimeout(() => {}, 1e6));`, ENDED),
  flood(
    'timers that throw',
    `for (let n = 0; n < 50_000; n++) { try { setTimeout(() => { throw new Error('x'.repeat(1000)); }, 1); } catch { await wait(1); } } return {};`,
    { answers: [...USUAL.answers, '500 MODULE_ERROR'] },
  ),
  flood('rejections that nobody handles', `for (;;) Promise.reject(new Error('x'));`, ENDED),
  flood(
    'rejections that nobody handles, a thousand at a time',
    `for (;;) { for (let n = 0; n < 1000; n++) Promise.reject(new Error('x')); await wait(0); }`,
  ),
  flood('microtasks that throw', `const again = () => { queueMicrotask(again); throw new Error('x'); }; again();`, {
    answers: ['500 MODULE_ERROR', '504 MODULE_TIMEOUT', '503 MODULE_CRASHED'],
  }),
  flood(
    'events that raise events',
    `const target = new EventTarget(); target.addEventListener('x', () => { target.dispatchEvent(new Event('x')); }); target.dispatchEvent(new Event('x')); return {};`,
    { answers: ['200', '500 MODULE_ERROR'] },
  ),
  flood('listeners on a signal', `for (;;) context.signal.addEventListener('abort', () => {});`, {
    ...ENDED,
    cell: 'may die',
  }),
  flood(
    'a stream of single bytes',
    `let n = 0; return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1)); if (++n === 200_000) controller.close(); } }));`,
    { answers: ['200', 'cut'] },
  ),
  flood(
    'a stream without end',
    `return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }));`,
    { answers: ['left', 'cut'], leaveAfterMs: 1_500 },
  ),
  flood(
    'streams that nobody asked for',
    `for (;;) { this.http.fetch('https://example.com/', { method: 'POST', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65_536)); } }), duplex: 'half' }).catch(() => {}); await wait(0); }`,
  ),
  flood(
    'random numbers and digests',
    `for (;;) await crypto.subtle.digest('SHA-512', crypto.getRandomValues(new Uint8Array(65_536)));`,
    ENDED,
  ),
  flood('forged frames', `for (;;) await say(this, '{"id":"x","type":"CONSTRUCT","path":["http","constructor"]}');`, {
    ...ENDED,
    before: FORGE,
    reasons: ['flood', 'violations'],
  }),
  flood(
    'forged frames without pause',
    `const messages = Array.from({ length: 5_000 }, (_, n) => '{"stream":' + (n + 1) + ',"op":"end"}'); for (;;) await say(this, join.call(messages, ','));`,
    { ...ENDED, before: FORGE, reasons: ['flood', 'violations', 'bytes'] },
  ),
  flood('forged frames that nest', `for (;;) await say(this, '['.repeat(200_000) + ']'.repeat(200_000));`, {
    ...ENDED,
    before: FORGE,
    reasons: ['flood', 'violations', 'bytes'],
  }),
  flood(
    'forged frames of many megabytes',
    `const text = '[' + '0,'.repeat(3_000_000) + '0]'; for (;;) await say(this, text);`,
    { ...ENDED, before: FORGE, memoryMb: 64, reasons: ['flood', 'violations', 'bytes', 'heap'] },
  ),
];
