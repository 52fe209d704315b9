/**
 * Modules whose tasks try to get out of their realm, or to trick the host through what a run may say. They run as real
 * modules in a real cell, next to a neighbour that must not notice.
 */
import type { TaskRequest } from '@plexichat/sdk/protocol/tasks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTasksCapability } from '../../runtime/capabilities/tasks.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { HUNT } from '../support/hunt.ts';

/** What the decorator leaves behind, without a decorator: every method whose name begins with `task`. */
const DECLARE = `static {
  const metadata = Object.create(null);
  Object.defineProperty(this, Symbol.for('Symbol.metadata'), { value: metadata });
  for (const name of Object.getOwnPropertyNames(this.prototype)) {
    const context = { kind: 'method', name, static: false, private: false, metadata };
    if (name.startsWith('task')) sdk.moduleTask({ schedule: false })(this.prototype[name], context);
  }
}`;

let room: CellRoom;
let neighbour: Guest;
let guest: Guest | undefined;
let port: [method: string, ...args: unknown[]][] = [];

const tasks = createTasksCapability({
  enqueue: async (...args) => {
    port.push(['enqueue', ...args]);
    return { id: `job-${port.length}` };
  },
  progress: (...args) => void port.push(['progress', ...args]),
  log: (...args) => void port.push(['log', ...args]),
});

beforeAll(async () => {
  room = await openCellRoom();
  neighbour = await room.boot('onhello() { return { hello: 1 }; }', { name: 'neighbour' });
});
afterAll(() => room.close());
beforeEach(() => {
  port = [];
});
afterEach(async () => {
  expect(neighbour.instance.alive).toBe(true);
  expect(await neighbour.json('hello')).toEqual({ hello: 1 });
  guest?.instance.terminate('terminated', 'the test is over');
  await guest?.exit;
  expect(guest?.failures).toEqual([]);
  guest = undefined;
});

async function boot(body: string, before = ''): Promise<Guest> {
  const options = { name: 'hostile', before: `${HUNT}\n${before}`, capabilities: { tasks } };
  guest = await room.boot(`${DECLARE}\n${body}`, options);
  return guest;
}

/** Through the kernel, as the host calls it. */
function runTask({ instance }: Guest, task: string, data: unknown = null, more: Partial<TaskRequest> = {}) {
  const request: TaskRequest = {
    invocation: 900_000,
    task,
    jobId: 'job-1',
    attempt: 1,
    slot: null,
    deadline: 0,
    ...more,
  };
  return instance.session.callText('runTask', JSON.stringify(request), JSON.stringify(data)).answer as Promise<{
    ok: boolean;
    result?: string;
    code?: string;
    message?: string;
  }>;
}

async function resultOf(hostile: Guest, task: string, data?: unknown): Promise<unknown> {
  const outcome = await runTask(hostile, task, data);
  expect(outcome).toMatchObject({ ok: true });
  return JSON.parse(outcome.result ?? 'null');
}

describe('a task in a sealed realm', () => {
  it('runs with its job, and what it says reaches the host before its outcome', async () => {
    const hostile = await boot(
      `async taskrun({ job, progress, log, signal }) { progress(10, 'so far'); log('one'); progress(99); log('two'); return { job, aborted: signal.aborted }; }`,
    );
    const result = await resultOf(hostile, 'taskrun', { a: [1] });
    const job = { id: 'job-1', name: 'taskrun', data: { a: [1] }, attempt: 1, slot: null };
    expect(result).toEqual({ job, aborted: false });
    expect(port).toEqual([
      ['progress', 'hostile', 'job-1', 10, 'so far'],
      ['progress', 'hostile', 'job-1', 99, undefined],
      ['log', 'hostile', 'job-1', 'one'],
      ['log', 'hostile', 'job-1', 'two'],
    ]);
  });

  it('sees no object of another realm in its context, its client and its errors', async () => {
    const hostile = await boot(`
      async taskhunt(context) {
        const catchIt = (run) => { try { run(); } catch (error) { return error; } };
        const roots = { context, job: context.job, data: context.job.data, signal: context.signal, progress: context.progress,
          log: context.log, tasks: this.tasks, enqueue: this.tasks.enqueue, unrecoverable: new sdk.UnrecoverableError('x'),
          answer: await this.tasks.enqueue('taskhunt', { a: 1 }), pending: this.tasks.enqueue('taskhunt'),
          refused: await this.tasks.enqueue('taskhunt', 1n).catch((error) => error),
          badPercent: catchIt(() => context.progress(-1)), badLine: catchIt(() => context.log(Symbol('x'))),
          reported: [context.progress(1), context.log('x')], listener: new Promise((resolve) => context.signal.addEventListener('abort', resolve)),
          arguments, callee: (function () { return arguments; })() };
        const found = hunt(roots);
        await roots.pending;
        return { found, names: Object.keys(roots).length };
      }`);
    expect(await resultOf(hostile, 'taskhunt', { deep: [{ a: null }] })).toEqual({ found: [], names: 18 });
  });

  it('cancels: the signal aborts with an error of its own realm', async () => {
    const hostile = await boot(`
      taskwait({ signal }) { return new Promise((resolve) => signal.addEventListener('abort', (event) =>
        resolve({ found: hunt({ event, reason: signal.reason }), name: signal.reason.name }))); }`);
    const running = runTask(hostile, 'taskwait', null, { invocation: 900_001 });
    expect(await hostile.instance.session.call('cancel', 900_001).answer).toBe(true);
    expect(JSON.parse((await running).result ?? '')).toEqual({ found: [], name: 'AbortError' });
  });

  it('gets data with hostile keys as plain data', async () => {
    const hostile = await boot(
      `taskkeys({ job: { data } }) { return [Object.keys(data), ({}).polluted ?? null, Object.getPrototypeOf(data) === Object.prototype]; }`,
    );
    const data = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(await resultOf(hostile, 'taskkeys', data)).toEqual([['__proto__', 'constructor'], null, true]);
  });

  it('gives an outcome although every native that the kernel may need was replaced', async () => {
    const hostile = await boot(`
      taskbreak(context) {
        JSON.stringify = () => '{"ok":true,"result":"forged"}'; JSON.parse = () => { throw new Error('parse'); };
        Promise.prototype.finally = () => { throw new Error('finally'); };
        String.prototype.includes = () => { throw new Error('includes'); };
        Object.hasOwn = () => { throw new Error('hasOwn'); };
        context.log('still here');
        return { honest: 1 };
      }
      async taskafter() { return (await this.tasks.enqueue('taskafter', { b: 2 })).id; }`);
    expect(await runTask(hostile, 'taskbreak')).toEqual({ ok: true, result: '{"honest":1}' });
    expect(await runTask(hostile, 'taskafter')).toEqual({ ok: true, result: '"job-2"' });
    expect(port).toEqual([
      ['log', 'hostile', 'job-1', 'still here'],
      ['enqueue', 'hostile', 'taskafter', '{"b":2}', 0],
    ]);
    expect(hostile.violations).toEqual([]);
  });

  it.each([
    [
      'a proxy that throws',
      `throw new Proxy({}, { get() { throw 1; }, has() { throw 1; }, getPrototypeOf() { throw 1; } })`,
    ],
    ['an error whose message is a trap', `throw Object.defineProperty(new Error(), 'message', { get() { throw 1; } })`],
    ['a message of a megabyte', `throw new Error('x'.repeat(2 ** 20))`],
    ['a thenable that never says the same', `return { get then() { throw this; } }`],
    ['an overflow', `const deep = () => deep(); deep()`],
  ])('ends with MODULE_ERROR when it throws %s', async (_name, code) => {
    const hostile = await boot(`taskthrow() { ${code}; }`);
    const outcome = await runTask(hostile, 'taskthrow');
    expect(outcome).toMatchObject({ ok: false, code: 'MODULE_ERROR' });
    expect(outcome.message?.length).toBeLessThanOrEqual(2000);
    expect(outcome).not.toHaveProperty('stack');
  });

  it('cannot say more than the host takes: a flood of words is dropped, and its calls go on working', async () => {
    const hostile = await boot(`
      async taskflood({ log, progress }) {
        for (let turn = 0; turn < 200; turn++) {
          for (let line = 0; line < 100; line++) { log('x'.repeat(3000)); progress(line, 'y'.repeat(3000)); }
          await null;
        }
        return (await this.tasks.enqueue('taskflood')).id;
      }`);
    expect(await resultOf(hostile, 'taskflood')).toMatch(/^job-/);
    expect(port.filter(([method]) => method === 'log').length).toBeLessThan(5_000);
    expect(port.find((call) => String(call[3]).endsWith('lines were dropped: too many at once.'))).toBeDefined();
    expect(hostile.violations).toEqual([]);
  });

  it('names tasks as it likes: the host gets a name, JSON of its own hand, whole milliseconds, and says no by a code', async () => {
    const hostile = await boot(`
      async taskforge() {
        const answers = [];
        for (const args of [['__proto__', 1], ['constructor', { a: '\\u0000\\ud800' }, { delay: 0.0004 }], ['a\\n'], ['x', 'y'.repeat(2 ** 20)]])
          answers.push(await this.tasks.enqueue(...args).then(({ id }) => id, (error) => error.code ?? error.name));
        return answers;
      }`);
    expect(await resultOf(hostile, 'taskforge')).toEqual(['job-1', 'job-2', 'TypeError', 'TypeError']);
    expect(port).toEqual([
      ['enqueue', 'hostile', '__proto__', '1', 0],
      ['enqueue', 'hostile', 'constructor', '{"a":"\\u0000\\ud800"}', 0],
    ]);
  });
});
