import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InstanceGone } from '../../runtime/cells/instance.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import type { TaskRun, TaskRunOptions } from '../../runtime/modules/served-module.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

interface Written {
  /** The body of its class. */
  readonly body: string;
  readonly runtime?: string;
  /** Which it is granted. */
  readonly permissions?: readonly string[];
}

/** The modules of all tests, in one host: to start one for each would be most of what they cost. */
const FILES: Record<string, string> = {};
const tested: string[] = [];
const grants: Record<string, readonly string[]> = {};

let calls = 0;
const outside = createServer((_request, response) => {
  calls += 1;
  response.end('ok');
});
await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
const { port } = outside.address() as AddressInfo;

let at: TestHost;
/** The module of the test that runs, and where its lines in the log begin. */
let demo = '';
let from = 0;
beforeAll(async () => {
  const config = JSON.stringify({ egress: { allow_private: [`localhost:${port}`] }, grants });
  at = await startTestHost({ files: FILES, settings: { cells: '1' }, config });
});
afterEach(async () => {
  // What a test left running must not be in the way of the next one.
  await hosted().stop(0);
});
afterAll(async () => {
  await at?.close();
  outside.close();
});

/** A test of a module of its own. */
function itWith(sentence: string, module: Written, test: () => Promise<void>): void {
  const name = `demo_${tested.length}`;
  tested.push(name);
  if (module.permissions) grants[name] = module.permissions;
  Object.assign(FILES, written(name, module));
  it(sentence, async () => {
    demo = name;
    from = at.lines.length;
    await test();
  });
}

/** A module folder. */
function written(name: string, { body, runtime = '', permissions = [] }: Written) {
  return {
    [`${name}/config.yaml`]: [
      `module_name: ${name}`,
      'module_version: 1.0.0',
      'auto_load: false',
      `required_permissions: ${JSON.stringify(permissions)}`,
      // The test is who runs them here: without a queue a host is up in no time.
      'tasks: { enabled: false }',
      'security: { require_authentication: false, rate_limiting: false }',
      `runtime: { ${runtime} }`,
    ].join('\n'),
    [`${name}/module.ts`]: `
      import { BaseModule, moduleEndpoint, moduleTask, UnrecoverableError } from '@plexichat/sdk';
      const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
      const burn = (ms: number) => { const end = Date.now() + ms; while (Date.now() < end); };
      export default class Fixture extends BaseModule {
        me = Math.random();
        @moduleEndpoint('GET /ok') ok() { return { me: this.me }; }
        ${body}
      }`,
  };
}

Object.assign(FILES, written('neighbour', { body: '' }));

function hosted(name = demo): HostedModule {
  const found = at.host.registry.list().find((module) => module.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is ${found?.state}: ${found?.reasons.join()}`);
  return found;
}

function run(task: string, limits: Partial<TaskRunOptions> = {}, parts: Partial<TaskRun> = {}) {
  const start = { task, jobId: 'job-1', attempt: 1, slot: null, data: 'null', ...parts };
  return hosted().runTask(start, {
    timeoutMs: 20_000,
    graceMs: 5_000,
    signal: new AbortController().signal,
    ...limits,
  });
}

/** How it ended, for runs that are not meant to succeed. */
async function failure(running: Promise<unknown>): Promise<Error & { code?: string }> {
  const [end] = await Promise.allSettled([running]);
  if (end.status === 'fulfilled') throw new Error(`It succeeded with ${String(end.value)}.`);
  return end.reason as Error;
}

async function statusOf(path: string): Promise<number> {
  const response = await at.fetch(`/api/v1/${path}`);
  await response.body?.cancel();
  return response.status;
}

async function threadOf(name = demo): Promise<number> {
  return ((await (await at.fetch(`/api/v1/${name}/ok`)).json()) as { me: number }).me;
}

const lines = () => at.lines.slice(from);
const said = (text: string): number => lines().filter(({ msg }) => msg.includes(text)).length;

/** Says where it is, so that a test need not guess. */
const FOR_EVER = `
  @moduleTask() async forEver() {
    this.logger.info('forEver began');
    for (;;) { this.logger.info('tick'); await wait(20); }
  }`;
const STOPS = `
  @moduleTask() stops({ signal }) {
    this.logger.info('stops began');
    return new Promise((resolve) => {
      const stop = () => resolve('too late');
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
  }`;

describe('a task', () => {
  itWith(
    'wakes its module, gets what it was started with, and gives its result',
    { body: '@moduleTask() echo({ job, signal }) { return { ...job, aborted: signal.aborted }; }' },
    async () => {
      const starts: string[] = [];
      const result = await run(
        'echo',
        { onStart: () => starts.push('echo') },
        { jobId: 'job-7', attempt: 3, slot: '2026-01-01T00:00:00.000Z', data: '{"list":[1,"zwei"]}' },
      );
      expect(JSON.parse(result ?? '')).toEqual({
        id: 'job-7',
        name: 'echo',
        attempt: 3,
        slot: '2026-01-01T00:00:00.000Z',
        data: { list: [1, 'zwei'] },
        aborted: false,
      });
      expect(starts).toEqual(['echo']);
      expect(hosted().state).toBe('running');
    },
  );

  itWith('has no result when its handler returns none', { body: '@moduleTask() quiet() {}' }, async () => {
    expect(await run('quiet')).toBeUndefined();
  });

  itWith(
    'fails with the words of its handler, and says when trying again is of no use',
    {
      body: `@moduleTask() async fails() { throw new Error('no such table'); }
         @moduleTask() async hopeless() { throw new UnrecoverableError('the account is gone'); }`,
    },
    async () => {
      expect(await failure(run('fails'))).toMatchObject({
        code: 'MODULE_ERROR',
        message: expect.stringContaining('no such table'),
      });
      expect(await failure(run('hopeless'))).toMatchObject({
        code: 'TASK_UNRECOVERABLE',
        message: expect.stringContaining('the account is gone'),
      });
    },
  );

  itWith(
    'runs beside others and beside requests, each with its own outcome',
    { body: '@moduleTask() async twice({ job }) { for (let i = 0; i < 5; i++) await wait(10); return job.data * 2; }' },
    async () => {
      const tasks = Array.from({ length: 8 }, (_, number) => run('twice', {}, { data: String(number) }));
      const requests = Array.from({ length: 8 }, () => statusOf(`${demo}/ok`));
      expect(await Promise.all(tasks)).toEqual(['0', '2', '4', '6', '8', '10', '12', '14']);
      expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    },
  );

  itWith(
    'keeps its module awake',
    {
      body: `@moduleTask() async long() { this.logger.info('long began'); await wait(2500); return this.me; }`,
      runtime: 'idle_timeout: 1',
    },
    async () => {
      const long = run('long');
      await until(() => said('long began') === 1);
      const thread = await threadOf();
      expect(await long).toBe(String(thread));
      await until(() => hosted().state === 'sleeping');
    },
  );
});

describe('a task that is past its deadline', () => {
  itWith(
    'has timed out, whatever it says when it stops as it is asked to; its thread goes on',
    { body: STOPS },
    async () => {
      const thread = await threadOf();
      const error = await failure(run('stops', { timeoutMs: 200 }));
      expect(error).toMatchObject({ code: 'TASK_TIMEOUT' });
      expect(error.message).toBe('The task stops did not end within 0.2 s. It stopped by itself when it was asked to.');
      expect(await threadOf()).toBe(thread);
    },
  );

  itWith(
    'is ended with its thread when it does not stop, before anybody hears of it, and nothing of it goes on',
    { body: FOR_EVER },
    async () => {
      await statusOf(`${demo}/ok`);
      const [instance] = hosted().instances;
      const error = await failure(run('forEver', { timeoutMs: 300, graceMs: 200 }));
      // Nothing of the thread is left at this very moment: what it said last is here already.
      expect(hosted().instances.size).toBe(0);
      expect(instance?.alive).toBe(false);
      const ticks = said('tick');
      expect(ticks).toBeGreaterThan(0);
      expect(error).toMatchObject({ code: 'TASK_TIMEOUT' });
      expect(error.message).toBe(
        'The task forEver did not end within 0.3 s. It did not stop by itself within the 0.2 s after that; its thread was ended.',
      );
      expect(hosted().state).toBe('sleeping');
      const why = 'task forEver did not stop 0.2 s after its deadline; its thread was ended';
      expect(hosted().reasons).toEqual([why]);
      expect(lines().filter(({ msg, level }) => msg === why && level === 40)).toHaveLength(1);
      expect(await statusOf(`${demo}/ok`)).toBe(200);
      expect(said('tick')).toBe(ticks);
    },
  );

  itWith(
    'reaches nobody outside any more when it has been ended',
    {
      body: `@moduleTask() async calls() { for (;;) await (await this.http.fetch('http://localhost:${port}/')).text(); }`,
      permissions: [`http:localhost:${port}`],
    },
    async () => {
      const running = run('calls', { timeoutMs: 1_000, graceMs: 100 });
      await until(() => calls > 3);
      expect(await failure(running)).toMatchObject({ code: 'TASK_TIMEOUT' });
      // A request that was under way when the thread ended may still arrive; then it is over, while others work on.
      await statusOf(`${demo}/ok`);
      const then = calls;
      for (let times = 0; times < 20; times++) await statusOf(`${demo}/ok`);
      expect(calls).toBe(then);
    },
  );

  itWith(
    'costs the module nothing of its budget twice, and a crash each time it happens more often than that',
    { body: FOR_EVER },
    async () => {
      for (let times = 0; times < 2; times++) {
        expect(await failure(run('forEver', { timeoutMs: 50, graceMs: 0 }))).toMatchObject({ code: 'TASK_TIMEOUT' });
        expect(hosted().state).toBe('sleeping');
      }
      expect(await failure(run('forEver', { timeoutMs: 50, graceMs: 0 }))).toMatchObject({ code: 'TASK_TIMEOUT' });
      expect(hosted().state).toBe('crashed');
      expect(hosted().reasons).toEqual([
        'overdue: task forEver did not stop 0 s after its deadline; its thread was ended, as were 2 others within 10 minutes',
      ]);
      // The first crash is forgiven at once.
      expect(await statusOf(`${demo}/ok`)).toBe(200);
    },
  );

  itWith('is charged like an endless loop when it spins', { body: `@moduleTask() spin() { for (;;); }` }, async () => {
    const error = await failure(run('spin', { timeoutMs: 300, graceMs: 30_000 }));
    expect(error).toMatchObject({ code: 'TASK_TIMEOUT', message: expect.stringContaining('its thread was ended') });
    expect(hosted().state).toBe('crashed');
    expect(hosted().reasons).toEqual(['stuck: task spin did not yield when it was asked to stop']);
    expect(await statusOf(`${demo}/ok`)).toBe(200);
  });

  itWith(
    'is charged as well when it yields to be asked and spins in its grace',
    {
      body: `@moduleTask() async sly({ signal }) {
          this.logger.info('sly began');
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          await wait(50);
          for (;;);
        }`,
    },
    async () => {
      const abort = new AbortController();
      const running = failure(run('sly', { signal: abort.signal, graceMs: 1_500 }));
      await until(() => said('sly began') === 1);
      abort.abort();
      expect(await running).toMatchObject({ code: 'CLIENT_CLOSED' });
      expect(hosted().state).toBe('crashed');
    },
  );

  itWith(
    'takes no request with it: a GET in the same thread is run again',
    {
      body: `${FOR_EVER}
         @moduleEndpoint('GET /slow') async slow() { this.logger.info('slow began'); await wait(2000); return this.me; }`,
    },
    async () => {
      const thread = await threadOf();
      const abort = new AbortController();
      const running = failure(run('forEver', { signal: abort.signal, graceMs: 0 }));
      const slow = at.fetch(`/api/v1/${demo}/slow`);
      await until(() => said('slow began') === 1);
      abort.abort();
      await running;
      const response = await slow;
      expect(response.status).toBe(200);
      expect(await response.json()).not.toBe(thread);
      expect(said('slow began')).toBe(2);
    },
  );

  itWith(
    'ends another task in its thread as one that was interrupted, and not by its own doing',
    { body: `${FOR_EVER} ${STOPS}` },
    async () => {
      const other = failure(run('stops'));
      await until(() => said('stops began') === 1);
      await failure(run('forEver', { timeoutMs: 100, graceMs: 0 }));
      const error = await other;
      expect(error).toBeInstanceOf(InstanceGone);
      expect((error as InstanceGone).likelyCause).toBe(false);
    },
  );

  itWith(
    'has its thread replaced at once when the module has several',
    { body: FOR_EVER, runtime: 'instances: 2' },
    async () => {
      await statusOf(`${demo}/ok`);
      const before = [...hosted().instances];
      await failure(run('forEver', { timeoutMs: 100, graceMs: 0 }));
      expect(hosted().state).toBe('running');
      await until(() => hosted().instances.size === 2);
      expect([...hosted().instances].filter((instance) => before.includes(instance))).toHaveLength(1);
    },
  );
});

describe('a task that merely awaits', () => {
  itWith(
    'shields no request that loops: its thread is ended as stuck, and the task is one that was interrupted',
    { body: `${STOPS} @moduleEndpoint('GET /spin') spin() { for (;;); }`, runtime: 'timeout: 1' },
    async () => {
      const idle = failure(run('stops', { timeoutMs: 86_400_000 }));
      await until(() => said('stops began') === 1);
      expect(await statusOf(`${demo}/spin`)).toBe(504);
      expect(await idle).toBeInstanceOf(InstanceGone);
      await until(() => lines().some(({ msg }) => msg === 'a thread ended'));
      expect(lines().find(({ msg }) => msg === 'a thread ended')).toMatchObject({
        reason: 'stuck',
        detail: expect.stringContaining('did not yield within 10 s after the deadline of a request'),
      });
      // Another thread had taken over by then.
      expect(hosted().state).toBe('running');
      expect(await statusOf(`${demo}/ok`)).toBe(200);
    },
  );
});

describe('a task that is called off', () => {
  itWith('stops as it is asked to', { body: STOPS }, async () => {
    const abort = new AbortController();
    const running = failure(run('stops', { signal: abort.signal }));
    await until(() => said('stops began') === 1);
    abort.abort();
    expect(await running).toMatchObject({
      code: 'CLIENT_CLOSED',
      message: 'The run of the task stops was called off. It stopped by itself when it was asked to.',
    });
  });

  itWith('is ended with its thread when it does not stop', { body: FOR_EVER }, async () => {
    const abort = new AbortController();
    const running = failure(run('forEver', { signal: abort.signal, graceMs: 100 }));
    await until(() => said('forEver began') === 1);
    abort.abort();
    expect(await running).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(hosted().instances.size).toBe(0);
    expect(hosted().reasons).toEqual(['task forEver did not stop 0.1 s after it was called off; its thread was ended']);
  });

  itWith(
    'is not started when that comes first',
    { body: `@moduleTask() never() { this.logger.info('began'); }` },
    async () => {
      expect(await failure(run('never', { signal: AbortSignal.abort() }))).toMatchObject({ code: 'CLIENT_CLOSED' });
      await statusOf(`${demo}/ok`);
      expect(said('began')).toBe(0);
    },
  );
});

describe('a task whose thread goes away', () => {
  itWith('was interrupted when the cell was killed, through no fault of its own', { body: STOPS }, async () => {
    const running = failure(run('stops'));
    await until(() => said('stops began') === 1);
    const [processId] = at.host.cells.processIds;
    if (processId === undefined) throw new Error('there is no cell');
    process.kill(processId, 'SIGKILL');
    const error = await running;
    expect(error).toBeInstanceOf(InstanceGone);
    expect((error as InstanceGone).likelyCause).toBe(false);
    expect(at.host.cells.processIds).not.toContain(processId);
    expect(await statusOf(`${demo}/ok`)).toBe(200);
  });

  itWith(
    'is the likely cause when it was alone and ate the memory',
    { body: '@moduleTask() eat() { const all = []; for (;;) all.push([1, 2, 3]); }' },
    async () => {
      const error = await failure(run('eat'));
      expect(error).toBeInstanceOf(InstanceGone);
      expect((error as InstanceGone).likelyCause).toBe(true);
    },
  );
});

describe('a task that uses the processor', () => {
  const BURN = `@moduleTask() burn() { this.logger.info('burn began'); burn(2000); return 'done'; }`;

  itWith('does not hold up another module', { body: BURN }, async () => {
    await statusOf('neighbour/ok');
    let over = false;
    const running = run('burn').finally(() => {
      over = true;
    });
    let answered = 0;
    while (!over) {
      expect(await statusOf('neighbour/ok')).toBe(200);
      answered += 1;
    }
    expect(answered).toBeGreaterThan(10);
    expect(await running).toBe('"done"');
  });

  itWith(
    'may do so until its own deadline, even when callers of its module get tired of waiting',
    { body: BURN, runtime: 'timeout: 0.2' },
    async () => {
      await statusOf(`${demo}/ok`);
      const running = run('burn');
      expect(await statusOf(`${demo}/ok`)).toBe(504);
      expect(await running).toBe('"done"');
      expect(hosted().state).toBe('running');
    },
  );
});

describe('a module that is stopped', () => {
  itWith(
    'lets a task finish in the time that there is for that',
    { body: `@moduleTask() async short() { this.logger.info('short began'); await wait(300); return 1; }` },
    async () => {
      const running = run('short');
      await until(() => said('short began') === 1);
      await hosted().stop(10_000);
      expect(await running).toBe('1');
      expect(hosted().state).toBe('stopped');
    },
  );

  itWith(
    'ends a task that takes longer, as one that was interrupted',
    {
      body: `${FOR_EVER}
         @moduleTask() stops({ signal }) {
           this.logger.info('stops began');
           return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
         }`,
    },
    async () => {
      const running = Promise.all([failure(run('stops')), failure(run('forEver'))]);
      await until(() => said('stops began') === 1 && said('forEver began') === 1);
      await hosted().stop(100);
      for (const error of await running) {
        expect(error).toBeInstanceOf(InstanceGone);
        expect((error as InstanceGone).likelyCause).toBe(false);
      }
      expect(hosted().instances.size).toBe(0);
    },
  );

  itWith('starts no task any more', { body: STOPS }, async () => {
    await hosted().stop(0);
    expect(await failure(run('stops'))).toMatchObject({
      code: 'MODULE_UNAVAILABLE',
      message: 'The module is stopped.',
    });
  });
});
