/** Code that does not come back. Its caller gets 504 at the deadline, its thread is ended, its cell stays. */
import { type Abuse, type AbuseOutcome, createAbuse } from './abuse.ts';

const USUAL: AbuseOutcome = {
  answers: ['504 MODULE_TIMEOUT'],
  thread: 'ends',
  reasons: ['stuck'],
  cell: 'lives',
  next: 'works',
};
/** What is deep in native code cannot be ended, so the cell may have to go. */
const NATIVE = {
  answers: ['504 MODULE_TIMEOUT', '503 MODULE_CRASHED', '500 MODULE_ERROR', '200'],
  thread: 'either',
  reasons: ['stuck', 'memory', 'heap'],
  cell: 'may die',
} as const;

const loop = (name: string, run: string, given: object = {}): Abuse =>
  createAbuse('loops', USUAL, name, { run, ...given });

export const LOOPS: readonly Abuse[] = [
  loop('an empty loop', `for (;;);`),
  loop('a loop over its budget of processor time', `for (;;);`, {
    reasons: ['cpu_budget'],
    timeoutS: 15,
    runtime: 'cpu_ms: 200',
  }),
  loop('a loop of microtasks', `for (;;) await null;`),
  // Each link holds the one before, so the heap is full before the time is over.
  loop('a chain of promises', `const again = () => Promise.resolve().then(again); return again();`, {
    answers: ['503 MODULE_CRASHED'],
    reasons: ['heap'],
    timeoutS: 4.5,
  }),
  loop('a queue of microtasks', `const again = () => queueMicrotask(again); again(); return new Promise(() => {});`),
  loop('a loop in a timer', `return new Promise(() => setTimeout(() => { for (;;); }, 1));`),
  loop('a loop in a timer after the answer', `setTimeout(() => { for (;;); }, 20); return {};`, {
    answers: ['200'],
    reasons: ['cpu'],
  }),
  loop(
    'timers that set timers',
    `const again = () => { for (let n = 0; n < 3; n++) { try { setTimeout(again, 0); } catch {} } }; again(); return new Promise(() => {});`,
    { thread: 'lives' },
  ),
  loop(
    'a generator that never ends',
    `function* numbers() { for (let n = 0; ; n++) yield n; }\nlet sum = 0; for (const n of numbers()) sum += n; return { sum };`,
  ),
  loop(
    'an asynchronous generator that never ends',
    `async function* numbers() { for (let n = 0; ; n++) yield n; }\nlet sum = 0; for await (const n of numbers()) sum += n; return { sum };`,
  ),
  loop('a regular expression that backtracks', `return { found: /^(a+)+$/.test('a'.repeat(60) + '!') };`),
  loop(
    'a regular expression with look-behind that backtracks',
    `return { text: ('x'.repeat(50_000) + 'y').replace(/(?<=(x+x+)+)z|(x+x+)+z/g, '') };`,
  ),
  // V8's JSON parser takes the order to end for itself and goes on: the thread cannot be ended.
  loop(
    'JSON that is parsed again and again',
    `const text = '[' + '{"a":[1,2,3]},'.repeat(50_000) + '1]'; for (;;) JSON.parse(text);`,
    { cell: 'may die' },
  ),
  loop(
    'JSON that is written again and again',
    `const list = Array.from({ length: 50_000 }, () => ({ a: [1, 2, 3] })); for (;;) JSON.stringify(list);`,
  ),
  loop('a reviver that never returns', `return JSON.parse('[1,2]', () => { for (;;); });`),
  loop('a toJSON that never returns', `return { toJSON() { for (;;); } };`),
  loop('a comparator that never returns', `return [3, 2, 1].sort(() => { for (;;); });`),
  loop(
    'a comparator that never makes up its mind',
    `for (;;) Array.from({ length: 100_000 }, (_, n) => n).sort(() => Math.random() - 0.5);`,
  ),
  loop('a set of a generator that never ends', `return new Set((function* () { for (;;) yield 1; })()).size;`),
  loop('a getter of a thrown error that never returns', `throw { get message() { for (;;); } };`),
  loop('a thenable that resolves with itself', `const endless = { then(done) { done(endless); } }; return endless;`),
  loop(
    'a loop when it is told that its time is over',
    `context.signal.addEventListener('abort', () => { for (;;); }); return new Promise(() => {});`,
  ),
  loop(
    'a stream that never returns from its pull',
    `return new Response(new ReadableStream({ pull() { for (;;); } }));`,
  ),
  loop('a number that grows', `let n = 3n; for (;;) n *= n;`, NATIVE),
  loop(
    'a text that Unicode normalises',
    `const text = '\\u0344'.repeat(4_000_000); for (;;) text.normalize('NFKD');`,
    NATIVE,
  ),
  loop(
    'a sort in native code',
    `const all = Array.from({ length: 2_500_000 }, () => Math.random()); for (;;) all.toSorted();`,
    {
      ...NATIVE,
      answers: ['503 MODULE_CRASHED', '504 MODULE_TIMEOUT'],
      thread: 'ends',
      memoryMb: 256,
      timeoutS: 5,
    },
  ),
];
