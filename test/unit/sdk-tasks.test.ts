import { createRunner, type ModuleRunner } from '@plexichat/sdk/module/runner';
import { DeclarationSchema } from '@plexichat/sdk/protocol/declaration';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { MAX_TASK_RESULT, TaskOutcomeSchema, type TaskRequest } from '@plexichat/sdk/protocol/tasks';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { createFakeHost, type FakeHost } from '../../sdk/testing/fake-host.ts';
import { loadAuthorCode } from '../support/author-module.ts';

const HEAD = `import { BaseModule, HttpError, moduleTask, UnrecoverableError } from '@plexichat/sdk';`;

function manifestOf(config: object = {}): Manifest {
  return Value.Default(ManifestSchema, { module_name: 'demo', module_version: '1.0.0', ...config }) as Manifest;
}

async function start(
  body: string,
  { config = {}, debug = false } = {},
): Promise<{ host: FakeHost; runner: ModuleRunner }> {
  const host = createFakeHost({});
  const namespace = await loadAuthorCode(`${HEAD} export default class M extends BaseModule { ${body} }`);
  const runner = createRunner(namespace, manifestOf(config), { ...host.binding, settingsDebug: debug });
  return { host, runner };
}

const REQUEST: TaskRequest = { invocation: 1, task: 'run', jobId: 'job-1', attempt: 1, slot: null, deadline: 0 };

async function outcomeOf(body: string, data: unknown = null, request: Partial<TaskRequest> = {}) {
  const { host, runner } = await start(`@moduleTask({ schedule: false }) ${body}`);
  const outcome = await runner.runTask({ ...REQUEST, ...request }, data);
  expect(Value.Check(TaskOutcomeSchema, outcome)).toBe(true);
  return { host, runner, outcome };
}

describe('what a task declares', () => {
  it('has defaults, takes the schedule of config.yaml, and passes the host’s schema', async () => {
    const { runner } = await start(
      `@moduleTask() a() {}
       @moduleTask({ schedule: false, timezone: undefined }) b() {}
       @moduleTask({ schedule: '0 0 2 * * 1', timezone: 'Europe/Berlin', retryCount: 100, timeout: 0.5, priority: 'low', overlap: 'parallel', missed: 'run-once' }) c() {}`,
      { config: { tasks: { schedule: '0 4 * * *' } } },
    );
    expect(Value.Check(DeclarationSchema, runner.declaration)).toBe(true);
    const defaults = { retryCount: 0, timeout: 300, priority: 'normal', overlap: 'skip', missed: 'skip' };
    expect(runner.declaration.tasks).toEqual([
      { name: 'a', schedule: '0 4 * * *', ...defaults },
      { name: 'b', ...defaults },
      {
        name: 'c',
        schedule: '0 0 2 * * 1',
        timezone: 'Europe/Berlin',
        retryCount: 100,
        timeout: 0.5,
        priority: 'low',
        overlap: 'parallel',
        missed: 'run-once',
      },
    ]);
  });

  it.each([
    [`{ retries: 3 }`, 'M.run: @moduleTask has no option "retries"; allowed are schedule, timezone, retryCount,'],
    [`{ constructor: 3 }`, 'M.run: @moduleTask has no option "constructor"'],
    [`{ retryCount: -1 }`, 'M.run: @moduleTask: retryCount is -1; allowed is a whole number from 0 to 100.'],
    [`{ retryCount: 101 }`, 'retryCount is 101;'],
    [`{ retryCount: 1.5 }`, 'retryCount is 1.5;'],
    [`{ retryCount: '3' }`, 'retryCount is "3";'],
    [`{ timeout: 0 }`, 'M.run: @moduleTask: timeout is 0; allowed is a number of seconds above 0, at most 86400.'],
    [`{ timeout: -0 }`, 'timeout is 0;'],
    [`{ timeout: 86401 }`, 'timeout is 86401;'],
    [`{ timeout: NaN }`, 'timeout is NaN;'],
    [`{ timeout: 10n }`, 'timeout is 10n;'],
    [`{ priority: 'hig' }`, 'M.run: @moduleTask: priority is "hig"; allowed is "high", "normal", "low".'],
    [`{ priority: 1 }`, 'priority is 1;'],
    [`{ overlap: 'never' }`, 'overlap is "never"; allowed is "skip", "queue", "parallel".'],
    [`{ missed: null }`, 'missed is null; allowed is "run-once", "skip".'],
    [`{ schedule: true }`, 'M.run: @moduleTask: schedule is true; allowed is cron with 5 or 6 fields such as'],
    [`{ schedule: '* * *' }`, 'schedule is "* * *";'],
    [`{ schedule: '' }`, 'schedule is "";'],
    [`{ schedule: '* '.repeat(60) }`, 'schedule is "* * * '],
    [`{ schedule: ['0', '2', '*', '*', '*'] }`, 'schedule is a list;'],
    [`{ timezone: '' }`, 'timezone is ""; allowed is the name of an IANA time zone'],
    [`{ timezone: 2 }`, 'timezone is 2;'],
    [`{ timezone: () => 1 }`, 'timezone is a function;'],
    [`'0 2 * * *'`, 'M.run: @moduleTask takes an object such as { schedule: "0 2 * * *" }, found "0 2 * * *".'],
    [`null`, 'M.run: @moduleTask takes an object such as { schedule: "0 2 * * *" }, found null.'],
  ])('is refused with %s, and the message says what is allowed', async (options, message) => {
    await expect(start(`@moduleTask(${options}) run() {}`)).rejects.toSatisfy(
      (error) => error instanceof TypeError && error.message.includes(message),
    );
  });
});

describe('a run of a task', () => {
  it('gives the handler its job, bound to the module', async () => {
    const { outcome } = await outcomeOf(
      'async run({ job }) { return { ...job, self: this.constructor.name }; }',
      { days: 3 },
      { jobId: 'demo:run:1', attempt: 2, slot: '2026-01-01T00:00:00.000Z' },
    );
    expect(outcome.ok && JSON.parse(outcome.result ?? '')).toEqual({
      id: 'demo:run:1',
      name: 'run',
      data: { days: 3 },
      attempt: 2,
      slot: '2026-01-01T00:00:00.000Z',
      self: 'M',
    });
  });

  it('has no result when the handler returns nothing, and keeps null', async () => {
    expect((await outcomeOf('run() {}')).outcome).toEqual({ ok: true });
    expect((await outcomeOf('async run() { return null; }')).outcome).toEqual({ ok: true, result: 'null' });
  });

  it.each([
    [
      'too long',
      `'x'.repeat(${MAX_TASK_RESULT - 1})`,
      `M.run returned ${MAX_TASK_RESULT + 1} characters of JSON, at most ${MAX_TASK_RESULT} are kept`,
    ],
    ['a BigInt', `({ list: [{ n: 1n }] })`, 'M.run returned a BigInt at list[0].n, which JSON does not know'],
    ['a function', `(() => 1)`, 'M.run returned a function, which is not JSON'],
    ['a cycle', `(() => { const a = {}; a.a = a; return a; })()`, 'M.run returned a value that contains itself at a'],
    [
      'too deep',
      `(() => { let a = []; for (let i = 0; i < 60; i++) a = [a]; return a; })()`,
      'M.run returned a value that nests deeper than 60 levels',
    ],
    [
      'a toJSON that throws',
      `({ toJSON() { throw new Error('no'); } })`,
      'M.run returned what cannot be written as JSON (Error: no)',
    ],
  ])('ends well without a result that is %s, and a warning says so', async (_name, value, message) => {
    const { host, outcome } = await outcomeOf(`run() { return ${value}; }`);
    expect(outcome).toEqual({ ok: true });
    expect(host.logged).toEqual([{ level: 'warn', message: expect.stringContaining(message) }]);
  });

  it('keeps a result of exactly the length that is allowed', async () => {
    const { outcome } = await outcomeOf(`run() { return 'x'.repeat(${MAX_TASK_RESULT - 2}); }`);
    expect(outcome.ok && outcome.result?.length).toBe(MAX_TASK_RESULT);
  });

  it.each([
    ['an Error', `throw new TypeError('oops')`, 'M.run failed: TypeError: oops'],
    ['an HttpError', `throw new HttpError(404, 'gone')`, 'M.run failed: HttpError: gone'],
    ['a string', `throw 'oops'`, 'M.run failed: oops'],
    ['undefined', `throw undefined`, 'M.run failed: undefined'],
    [
      'a proxy that throws',
      `throw new Proxy({}, { has() { throw 1; }, get() { throw 1; }, getPrototypeOf() { throw 1; } })`,
      'M.run failed: an error that cannot be read',
    ],
    ['a long message', `throw new Error('x'.repeat(5000))`, expect.stringMatching(/^M\.run failed: Error: x{1000,}…$/)],
    ['a thenable that throws', `return { get then() { throw new Error('then'); } }`, 'M.run failed: Error: then'],
    ['a promise', `return Promise.reject(new Error('later'))`, 'M.run failed: Error: later'],
  ])('is MODULE_ERROR when it throws %s', async (_name, code, message) => {
    expect((await outcomeOf(`run() { ${code}; }`)).outcome).toEqual({ ok: false, code: 'MODULE_ERROR', message });
  });

  it('is TASK_UNRECOVERABLE for an UnrecoverableError, also of another copy of the sdk', async () => {
    const own = await outcomeOf(`run() { throw new UnrecoverableError('gone', { cause: 1 }); }`);
    const message = 'M.run failed: UnrecoverableError: gone';
    expect(own.outcome).toEqual({ ok: false, code: 'TASK_UNRECOVERABLE', message });
    const foreign = await outcomeOf(
      `run() { throw Object.assign(new Error('gone'), { [Symbol.for('plexichat.unrecoverable-error')]: true }); }`,
    );
    expect(foreign.outcome).toMatchObject({ code: 'TASK_UNRECOVERABLE' });
  });

  it('has a stack only where the host diagnoses', async () => {
    const body = `@moduleTask() run() { throw new Error('x'); }`;
    const loud = await start(body, { debug: true });
    expect(await loud.runner.runTask(REQUEST, null)).toHaveProperty('stack', expect.stringContaining('Error: x'));
    const quiet = await start(body);
    expect(await quiet.runner.runTask(REQUEST, null)).not.toHaveProperty('stack');
  });

  it.each(['nope', 'constructor', 'toString', '__proto__'])(
    'is MODULE_ERROR for a task %s that does not exist',
    async (task) => {
      const { runner } = await start(`@moduleTask() run() {}`);
      expect(await runner.runTask({ ...REQUEST, task }, null)).toEqual({
        ok: false,
        code: 'MODULE_ERROR',
        message: `M has no task "${task}".`,
      });
    },
  );

  it('runs what a subclass puts in the place of its parent’s handler', async () => {
    const host = createFakeHost({});
    const namespace = await loadAuthorCode(
      `${HEAD} class Base extends BaseModule { @moduleTask() run() { return 'base'; } } export default class M extends Base { run() { return 'child'; } }`,
    );
    const runner = createRunner(namespace, manifestOf(), host.binding);
    expect(await runner.runTask(REQUEST, null)).toEqual({ ok: true, result: '"child"' });
  });
});

describe('the signal of a run', () => {
  const WAIT = `@moduleTask() run({ signal }) { return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))); }`;

  it('aborts by the number of its invocation, and of no other', async () => {
    const { runner } = await start(WAIT);
    const running = runner.runTask({ ...REQUEST, invocation: 7 }, null);
    expect([runner.cancel(1), runner.cancel(7)]).toEqual([false, true]);
    expect(await running).toMatchObject({ ok: false, message: expect.stringContaining('AbortError') });
    expect(runner.cancel(7)).toBe(false);
  });

  it('is aborted already when it is asked for after the cancel', async () => {
    const { runner } = await start(
      `@moduleTask() async run(context) { await new Promise((resolve) => { this.go = resolve; }); return context.signal.aborted; }
       shutdown() { this.go(); }`,
    );
    const running = runner.runTask(REQUEST, null);
    runner.cancel(REQUEST.invocation);
    await runner.shutdown();
    expect(await running).toEqual({ ok: true, result: 'true' });
  });

  it('aborts when the module shuts down', async () => {
    const { runner } = await start(WAIT);
    const running = runner.runTask(REQUEST, null);
    await runner.shutdown();
    expect(await running).toMatchObject({ ok: false });
  });
});

describe('what a run reports', () => {
  const report = async (code: string) => {
    const { host, outcome } = await outcomeOf(`async run({ progress, log, job }) { ${code} }`);
    return { outcome, ...host.tasks.takeReport('job-1') };
  };

  it('is progress with and without a note, and lines', async () => {
    const { progress, logs } = await report(
      `progress(0); progress(33.3, 'a third'); log('one'); log(''); progress(100);`,
    );
    expect(progress).toEqual([{ percent: 0 }, { percent: 33.3, note: 'a third' }, { percent: 100 }]);
    expect(logs).toEqual(['one', '']);
  });

  it('is cut at 2000 characters a line and 500 a note, never inside of a character', async () => {
    const { progress, logs } = await report(
      `log('x'.repeat(1999) + '😀'); log('y'.repeat(5000)); progress(1, 'z'.repeat(900));`,
    );
    expect(logs.map((line) => line.length)).toEqual([1999, 2000]);
    expect(progress[0]?.note).toHaveLength(500);
  });

  it.each([
    [`progress(101)`, 'M.run: progress(percent) takes a number from 0 to 100, found 101.'],
    [`progress(-1)`, 'found -1.'],
    [`progress(NaN)`, 'found NaN.'],
    [`progress('50')`, 'found "50".'],
    [`progress()`, 'found undefined.'],
    [`progress(1, 2)`, 'M.run: progress(percent, note) takes a text as note, found 2.'],
    [`progress(1, null)`, 'found null.'],
    [`log({ a: 1 })`, 'M.run: log(line) takes a text, found an object.'],
    [`log(5)`, 'found 5.'],
    [`log()`, 'found undefined.'],
  ])('is refused as a TypeError for %s', async (code, message) => {
    const { outcome, logs, progress } = await report(
      `try { ${code}; } catch (error) { return [error instanceof TypeError, error.message]; }`,
    );
    expect(outcome.ok && JSON.parse(outcome.result ?? 'null')).toEqual([true, expect.stringContaining(message)]);
    expect([logs, progress]).toEqual([[], []]);
  });

  it('is dropped in silence once the run is over', async () => {
    const { host, runner } = await start(
      `@moduleTask() run(context) { this.late = context; } shutdown() { this.late.log('late'); this.late.progress(5); }`,
    );
    await runner.runTask(REQUEST, null);
    await runner.shutdown();
    expect(host.tasks.takeReport('job-1')).toEqual({ progress: [], logs: [] });
  });
});
