/** Code that wants all the memory there is. Its thread is ended, or V8 refuses; its cell may go along. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';

const USUAL: AbuseOutcome = {
  // On a slow machine its time is over, or its collector is silent for too long, before the heap is full.
  answers: ['503 MODULE_CRASHED', '504 MODULE_TIMEOUT'],
  thread: 'ends',
  reasons: ['heap', 'stuck'],
  cell: 'may die',
  next: 'works',
};
/** ArrayBuffers are in no heap. */
const EXTERNAL = { reasons: ['external'] } as const;
/** In one go, deep in native code: its thread is silent, and it grows. Whichever is seen first. */
const NATIVE = { reasons: ['stuck', 'heap', 'external', 'memory', 'cell', 'its cell died with it'] } as const;
/** V8 refuses, and nothing else happens. */
const HARMLESS = { answers: ['500 MODULE_ERROR'], thread: 'lives', cell: 'lives' } as const;
/** It looks worse than it is. */
const NOTHING = { answers: ['200'], thread: 'lives', cell: 'lives' } as const;

const bomb = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('memory', USUAL, name, { run, timeoutS: 4.5, ...given });

export const MEMORY: readonly Abuse[] = [
  bomb('texts', `const all = []; for (let n = 0; ; n++) all.push(('x' + n).repeat(10_000).replaceAll('x', 'y'));`),
  bomb('a text of 128 MB', `return { length: ['x'.repeat(128 * 1024 * 1024)].join('y').split('').length };`, NATIVE),
  bomb('a text that doubles', `let text = 'x'; for (;;) text += text;`, HARMLESS),
  bomb('an array of 300 million', `return new Array(3e8).fill(0).length;`, NATIVE),
  bomb('an array of 64 million doubles', `return new Array(2 ** 26).fill(1.5).length;`, NATIVE),
  bomb('a set of doubles', `const all = new Set(); for (let n = 0.5; ; n++) all.add(n);`),
  bomb('keys that are numbers', `const all = {}; for (let n = 0; ; n++) all[n * 7919] = n;`),
  bomb('an array that doubles', `let all = [1.5]; for (;;) all = all.concat(all);`),
  bomb('a text that doubles in one go', `return { length: 'x'.repeat(2 ** 28).replaceAll('x', 'yy').length };`, NATIVE),
  bomb('an array from nothing', `return Array.from({ length: 1e9 }).length;`, NATIVE),
  bomb('doubles', `const all = []; for (;;) all.push(1.5);`),
  bomb('arrays that nobody keeps', `for (;;) new Array(1000);`, {
    // The collector keeps up with it, so it is no more than a loop.
    answers: ['504 MODULE_TIMEOUT'],
    reasons: ['stuck'],
    timeoutS: 0.5,
  }),
  bomb('objects', `let last; for (;;) last = { last, a: 1, b: {} };`),
  bomb('closures', `const all = []; for (;;) { const n = all.length; all.push(() => n); }`),
  bomb('keys', `const all = {}; for (let n = 0; ; n++) all['key' + n] = n;`),
  bomb('symbols that are kept for ever', `for (let n = 0; ; n++) Symbol.for('symbol' + n);`, NATIVE),
  bomb('a map', `const all = new Map(); for (let n = 0; ; n++) all.set(n, n);`),
  bomb('reactions to a promise', `const never = new Promise(() => {}); for (;;) never.then(() => {});`),
  bomb(
    'regular expressions',
    `const all = []; for (let n = 0; ; n++) { const one = new RegExp('(a|b' + n + ')+c?'); one.test('abc' + n); all.push(one); }`,
  ),
  bomb('array buffers', `const all = []; for (;;) all.push(new ArrayBuffer(1024 * 1024));`, EXTERNAL),
  bomb(
    'array buffers that are written to',
    `const all = []; for (;;) all.push(new Uint8Array(1024 * 1024).fill(1));`,
    EXTERNAL,
  ),
  bomb(
    'array buffers, one after the other',
    `const all = []; for (;;) { all.push(new Uint8Array(4 * 1024 * 1024).fill(1)); await wait(2); }`,
    EXTERNAL,
  ),
  bomb('one array buffer of 8 GB', `return { bytes: new ArrayBuffer(8 * 1024 ** 3).byteLength };`, {
    // Nothing of it is there until it is written to: it answers before it is seen.
    answers: ['200', '503 MODULE_CRASHED'],
    ...EXTERNAL,
  }),
  bomb(
    'one array buffer of 3 GB that is written to',
    `this.kept = new Uint8Array(3 * 1024 ** 3); this.kept.fill(1); return { bytes: this.kept.length };`,
    NATIVE,
  ),
  bomb(
    'an array buffer that grows',
    `const bytes = new ArrayBuffer(0, { maxByteLength: 4 * 1024 ** 3 });
     for (let size = 0; ; size += 16 * 1024 * 1024) { bytes.resize(size); new Uint8Array(bytes).fill(1, Math.max(0, size - 16 * 1024 * 1024)); await wait(2); }`,
    EXTERNAL,
  ),
  bomb(
    'a stream that is never read',
    `return new Response(new ReadableStream({ start(controller) { for (;;) controller.enqueue(new Uint8Array(64 * 1024)); } }));`,
    EXTERNAL,
  ),
  bomb(
    'a stream of which one half is read',
    `const endless = new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(64 * 1024)); } });
     const [one, two] = endless.tee(); for await (const _chunk of one); return two;`,
    EXTERNAL,
  ),
  bomb('recursion without end', `const deep = () => deep() + 1; return deep();`, HARMLESS),
  bomb(
    'a function that is bound a million times',
    `let deep = () => 1; for (let n = 0; n < 300_000; n++) deep = deep.bind(null); return { n: deep() };`,
    NOTHING,
  ),
  bomb(
    'a proxy of a proxy of a proxy',
    `let deep = {}; for (let n = 0; n < 200_000; n++) deep = new Proxy(deep, {}); return { n: deep.x };`,
    HARMLESS,
  ),
  bomb('an answer that nests', `let deep = []; for (let n = 0; n < 200_000; n++) deep = [deep]; return deep;`, NOTHING),
  bomb(
    'an answer that doubles at every level',
    `let deep = { end: 1 }; for (let n = 0; n < 40; n++) deep = { a: deep, b: deep }; return deep;`,
    NATIVE,
  ),
  bomb('an answer of 200 MB', `return new Response('x'.repeat(200 * 1024 * 1024));`, NATIVE),
  bomb('an answer of ten million numbers', `return Array.from({ length: 1e7 }, (_, n) => n);`, NATIVE),
  bomb('an error that quotes everything', `throw new HttpError(500, 'x'.repeat(100 * 1024 * 1024));`, {
    ...NATIVE,
    // A short form of it may be out before its memory is seen.
    answers: ['503 MODULE_CRASHED', '504 MODULE_TIMEOUT', '500 MODULE_HTTP_ERROR'],
  }),
];
