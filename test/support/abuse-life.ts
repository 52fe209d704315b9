/** Modules that do not come up, do not go down, or take their cell along whenever they run. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';

/** Deep in V8 where no limit of a thread counts: the whole process ends with it, or for its silence on a slow machine. */
export const FATAL = `'x'.repeat(2 ** 29 - 24).split('')`;
const BOMB = `const all = []; for (;;) all.push(1.5);`;

/** Its file is never run by the host again: what it declares is not known. */
const UNLEARNT: AbuseOutcome = {
  answers: ['503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  reasons: [],
  cell: 'lives',
  next: 'refused',
};
const UNBOOTED: AbuseOutcome = {
  answers: ['503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  reasons: [],
  cell: 'lives',
  next: 'refused',
};
const GOING: AbuseOutcome = {
  answers: ['200'],
  // It was to end, and whatever else ends it then is nobody's loss.
  thread: 'lives',
  reasons: [],
  cell: 'lives',
  next: 'works',
  rests: 'sleeping',
};
const CRASHING: AbuseOutcome = {
  answers: ['503 MODULE_CRASHED', '503 MODULE_UNAVAILABLE'],
  thread: 'ends',
  // In company nobody knows at first whose doing it was; who is run again is alone then.
  reasons: ['its cell died with it (killed by SIG', 'cell: killed by SIG', 'stuck: silent'],
  cell: 'may die',
  next: 'works',
};

const atTop = (name: string, code: string, reason: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', UNLEARNT, `${name} at the top of its file`, {
    before: code,
    path: '/ok',
    reasons: [reason],
    ...given,
  });
const inInitialize = (name: string, code: string, reason: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', UNBOOTED, `${name} in initialize`, {
    members: `async initialize() { ${code} }`,
    path: '/ok',
    reasons: [reason],
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
const whenAsked = (name: string, run: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('life', CRASHING, name, { run, timeoutS: 10, ...given });

export const LIFE: readonly Abuse[] = [
  atTop('a throw', `throw new Error('no licence');`, 'Error: no licence'),
  atTop('a loop', `for (;;);`, 'describe took longer'),
  atTop('a bomb', BOMB, 'heap: '),
  atTop('a crash of its cell', FATAL, 'cell: killed by SIG', { reasons: ['cell: killed by SIG', 'stuck: silent'] }),
  atTop('recursion', `const deep = () => deep() + 1; deep();`, 'RangeError: '),
  atTop(
    'a throw of what cannot be read',
    `throw new Proxy(function () {}, { get() { throw 1; }, has() { throw 1; } });`,
    'An error that cannot be read',
  ),
  createAbuse('life', UNLEARNT, 'an export that is no module', {
    code: 'export default 42;',
    path: '/ok',
    reasons: ['TypeError: life_an_export_that_is_no_module: the default export must be a class'],
  }),
  createAbuse('life', UNLEARNT, 'a constructor that returns something else', {
    members: `constructor() { super(); return {}; }`,
    path: '/ok',
    reasons: ['TypeError: new Abuse() gave something that is no module'],
  }),
  inInitialize(
    'a throw',
    `throw new Error('no such database');`,
    'did not boot: Error: Abuse.initialize() failed: Error',
  ),
  inInitialize(
    'a throw of what cannot be read',
    `throw { get message() { throw 1; }, get name() { throw 1; } };`,
    'did not boot: Error: Abuse.initialize() failed: an error that cannot be read',
  ),
  inInitialize('a loop', `for (;;);`, 'did not boot: initialize took longer', { timeoutS: 0.5 }),
  inInitialize('a wait for ever', `await new Promise(() => {});`, 'did not boot: initialize took longer', {
    timeoutS: 0.5,
  }),
  inInitialize('a bomb', BOMB, 'did not boot: heap: '),
  inInitialize('a crash of its cell', FATAL, 'cell: killed by SIG', {
    cell: 'may die',
    reasons: ['cell: killed by SIG', 'did not boot: stuck: silent'],
  }),
  inShutdown('a throw', `throw new Error('no');`),
  inShutdown('a loop', `for (;;);`),
  inShutdown('a wait for ever', `await new Promise(() => {});`),
  inShutdown('a bomb', BOMB),
  inShutdown('a crash of its cell', FATAL, { cell: 'may die' }),
  whenAsked('a crash of its cell by V8', `return ${FATAL};`),
  // Deep in native code it is silent, and it grows: whichever is seen first.
  whenAsked('a crash of its cell by the host', `return new Array(3e8).fill(0).length;`, {
    reasons: ['stuck', 'heap', 'memory', 'its cell died with it'],
  }),
];
