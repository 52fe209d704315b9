/** Modules that do not come up, do not go down, or take their cell along whenever they run. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';

/** Deep in V8 where no limit of a thread counts: the whole process ends with it. */
export const FATAL = `'x'.repeat(2 ** 29 - 24).split('')`;
const BOMB = `const all = []; for (;;) all.push(1.5);`;

/** Its file is never run by the host again: what it declares is not known. */
const UNLEARNT: AbuseOutcome = {
  answers: ['503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  reasons: [
    'describe took longer',
    'Error: ',
    'RangeError: ',
    'TypeError: ',
    'An error that',
    'heap: ',
    'stuck: ',
    'cell: ',
  ],
  cell: 'lives',
  next: 'refused',
};
const UNBOOTED: AbuseOutcome = {
  answers: ['503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  reasons: ['did not boot', 'heap', 'stuck', 'delay', 'cell', 'memory'],
  cell: 'lives',
  next: 'refused',
};
const GOING: AbuseOutcome = {
  answers: ['200'],
  thread: 'either',
  reasons: ['stuck', 'heap', 'delay', 'memory', 'cell'],
  cell: 'lives',
  next: 'works',
  rests: 'sleeping',
};
const CRASHING: AbuseOutcome = {
  answers: ['503 MODULE_CRASHED', '503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  reasons: ['stuck', 'heap', 'memory', 'delay', 'cell', 'its cell died with it'],
  cell: 'may die',
  next: 'works',
};

const atTop = (name: string, code: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', UNLEARNT, `${name} at the top of its file`, { before: code, path: '/ok', ...given });
const inInitialize = (name: string, code: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', UNBOOTED, `${name} in initialize`, {
    members: `async initialize() { ${code} }`,
    path: '/ok',
    timeoutS: 5,
    ...given,
  });
const inShutdown = (name: string, code: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', GOING, `${name} in shutdown`, {
    run: 'return {};',
    members: `async shutdown() { ${code} }`,
    runtime: 'idle_timeout: 1',
    timeoutS: 20,
    ...given,
  });
const whenAsked = (name: string, run: string): Abuse => createAbuse('life', CRASHING, name, { run, timeoutS: 10 });

export const LIFE: readonly Abuse[] = [
  atTop('a throw', `throw new Error('no licence');`),
  atTop('a loop', `for (;;);`),
  atTop('a bomb', BOMB),
  atTop('a crash of its cell', FATAL),
  atTop('recursion', `const deep = () => deep() + 1; deep();`),
  atTop(
    'a throw of what cannot be read',
    `throw new Proxy(function () {}, { get() { throw 1; }, has() { throw 1; } });`,
  ),
  createAbuse('life', UNLEARNT, 'an export that is no module', { code: 'export default 42;', path: '/ok' }),
  createAbuse('life', UNLEARNT, 'a constructor that returns something else', {
    members: `constructor() { super(); return {}; }`,
    path: '/ok',
  }),
  inInitialize('a throw', `throw new Error('no such database');`),
  inInitialize('a throw of what cannot be read', `throw { get message() { throw 1; }, get name() { throw 1; } };`),
  inInitialize('a loop', `for (;;);`, { timeoutS: 0.5 }),
  inInitialize('a wait for ever', `await new Promise(() => {});`, { timeoutS: 0.5 }),
  inInitialize('a bomb', BOMB),
  inInitialize('a crash of its cell', FATAL, { cell: 'may die' }),
  inShutdown('a throw', `throw new Error('no');`),
  inShutdown('a loop', `for (;;);`),
  inShutdown('a wait for ever', `await new Promise(() => {});`),
  inShutdown('a bomb', BOMB),
  inShutdown('a crash of its cell', FATAL, { cell: 'may die' }),
  whenAsked('a crash of its cell by V8', `return ${FATAL};`),
  whenAsked('a crash of its cell by the host', `return new Array(3e8).fill(0).length;`),
];
