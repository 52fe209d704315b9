/** The task room on real queues, with modules that are fakes: what is scheduled, run, retried, left out, paused. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { InstanceGone } from '../../runtime/cells/instance.ts';
import type { ServedModule, TaskRun } from '../../runtime/modules/served-module.ts';
import type { BackendEvents } from '../../runtime/queue/backend.ts';
import type { TaskLimits } from '../../runtime/tasks/task-room.ts';
import { type FakeModule, fakeModule } from '../support/fake-modules.ts';
import { startTaskHost, type TaskHost } from '../support/task-hosts.ts';
import { TASK_PLACES, type TaskPlace } from '../support/task-places.ts';
import { until } from '../support/until.ts';

const EVERY_SECOND = '* * * * * *';
const NEVER = '0 0 29 2 *';

for (const kind of TASK_PLACES) {
  if (kind.missing !== undefined) {
    if (process.env.CI) throw new Error(`The tests of tasks on ${kind.name} cannot run: ${kind.missing}`);
    console.warn(`Skipped: the tests of tasks on ${kind.name}. ${kind.missing}`);
  }
  describe.skipIf(kind.missing !== undefined)(`tasks on ${kind.name}`, () => {
    let place: TaskPlace;
    let installation = 0;
    const hosts: TaskHost[] = [];

    beforeAll(async () => {
      place = await kind.start();
    });
    afterEach(async () => {
      await Promise.all(hosts.splice(0).map((host) => host.close()));
      installation += 1;
    });
    afterAll(() => place?.remove());

    const open = (events: BackendEvents) => place.open(installation, events);
    const start = (modules: readonly ServedModule[], limits: Partial<TaskLimits> = {}): TaskHost => {
      const host = startTaskHost(open, modules, limits);
      hosts.push(host);
      return host;
    };
    const view = async (host: TaskHost, task: string) => (await host.desk.list()).find((each) => each.task === task);
    const scheduled = (host: TaskHost, task: string) =>
      until(async () => (await host.room.backend?.queue('demo').getJobScheduler(task)) !== undefined);
    const ran = (module: FakeModule, times: number) => until(() => module.taskCalls.length >= times);

    test('a run that was asked for is run once, with its data, and leaves its result', async () => {
      const module = fakeModule({ tasks: { work: { run: ({ data }) => data } } });
      const host = start([module]);
      const { id } = await host.room.enqueue('demo', 'work', '{"n":1}', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 10))[0]?.state === 'completed');
      expect(module.taskCalls.map(({ run }) => run)).toEqual([
        { task: 'work', jobId: id, attempt: 1, slot: null, data: '{"n":1}' },
      ]);
      expect((await host.desk.runs('demo', 'work', 10))[0]).toMatchObject({ id, origin: 'module', result: { n: 1 } });
    });

    test('a schedule runs its task once per slot, whatever the number of hosts', async () => {
      const slots: (string | null)[] = [];
      const tasks = {
        tick: { schedule: EVERY_SECOND, overlap: 'parallel', run: ({ slot }: TaskRun) => void slots.push(slot) },
      } as const;
      const modules = Array.from({ length: kind.isShared ? 3 : 1 }, () => fakeModule({ tasks }));
      for (const module of modules) start([module]);
      await until(() => slots.length >= 4);
      expect(new Set(slots).size).toBe(slots.length);
      const times = slots.map((slot) => Date.parse(slot ?? ''));
      expect(times.every((time) => time % 1_000 === 0)).toBe(true);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
    });

    test('a failed run is tried again as declared, then it has failed', async () => {
      const module = fakeModule({
        tasks: { work: { retryCount: 1, run: () => Promise.reject(new PlexiError('MODULE_ERROR', 'no luck')) } },
      });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'failed');
      expect(module.taskCalls.map(({ run }) => run.attempt)).toEqual([1, 2]);
      expect((await host.desk.runs('demo', 'work', 1))[0]?.error).toEqual({ code: 'MODULE_ERROR', message: 'no luck' });
      expect(host.ends.map(({ outcome }) => outcome)).toEqual(['retry', 'failed']);
    });

    test('a failure for good is not tried again', async () => {
      const module = fakeModule({
        tasks: { work: { retryCount: 5, run: () => Promise.reject(new PlexiError('TASK_UNRECOVERABLE', 'never')) } },
      });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'failed');
      expect(module.taskCalls).toHaveLength(1);
    });

    test('a run whose thread goes away is run again although no retry was declared, and shows it', async () => {
      let deaths = 0;
      const run = () => (deaths++ === 0 ? Promise.reject(new InstanceGone('Its cell ended.', false)) : '"done"');
      const module = fakeModule({ tasks: { work: { run } } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'completed');
      const [view] = await host.desk.runs('demo', 'work', 1);
      expect(view).toMatchObject({ interruptions: 1, result: 'done' });
      expect(view?.logs.join()).toContain('Its cell ended.');
      expect(module.taskCalls.map(({ run: each }) => each.attempt)).toEqual([1, 2]);
    });

    test('a run of a module that is not there yet waits for it and costs no attempt', async () => {
      let asked = 0;
      const run = () =>
        asked++ < 2
          ? Promise.reject(new PlexiError('MODULE_UNAVAILABLE', 'starting', { headers: { 'retry-after': '1' } }))
          : '1';
      const module = fakeModule({ tasks: { work: { run } } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'completed');
      expect(module.taskCalls.map(({ run: each }) => each.attempt)).toEqual([1, 1, 1]);
    });

    test('a slot is left out while an earlier run is under way, in this host or another', async () => {
      const held = Promise.withResolvers<undefined>();
      const tasks = { tick: { schedule: EVERY_SECOND, run: () => held.promise } };
      const one = fakeModule({ tasks });
      const two = fakeModule({ tasks });
      const host = start([one]);
      if (kind.isShared) start([two]);
      await until(
        async () => (await host.desk.runs('demo', 'tick', 20)).filter(({ skipped }) => skipped !== null).length >= 2,
      );
      expect(one.taskCalls.length + two.taskCalls.length).toBe(1);
      held.resolve(undefined);
      await until(() => one.taskCalls.length + two.taskCalls.length > 1);
    });

    test('runs that must not overlap wait for each other, over all hosts', async () => {
      let together = 0;
      let most = 0;
      let done = 0;
      const run = async () => {
        most = Math.max(most, ++together);
        await new Promise((resolve) => setTimeout(resolve, 20));
        together -= 1;
        done += 1;
        return undefined;
      };
      const tasks = { work: { overlap: 'queue', run } } as const;
      const host = start([fakeModule({ tasks })]);
      if (kind.isShared) start([fakeModule({ tasks })]);
      await Promise.all(Array.from({ length: 8 }, () => host.room.enqueue('demo', 'work', 'null', 0)));
      await until(() => done === 8);
      expect(most).toBe(1);
    });

    test('one module with a long queue does not keep another one waiting', async () => {
      const held = Promise.withResolvers<undefined>();
      const noisy = fakeModule({ name: 'noisy', tasks: { work: { run: () => held.promise } } });
      const quiet = fakeModule({ name: 'quiet', tasks: { work: {} } });
      const host = start([noisy, quiet], { perModule: 3 });
      await Promise.all(Array.from({ length: 50 }, () => host.room.enqueue('noisy', 'work', 'null', 0)));
      await ran(noisy, 3);
      await host.room.enqueue('quiet', 'work', 'null', 0);
      await ran(quiet, 1);
      expect(noisy.taskCalls).toHaveLength(3);
      held.resolve(undefined);
    });

    test('higher priorities are taken first', async () => {
      const order: string[] = [];
      const gate = Promise.withResolvers<undefined>();
      const note = (name: string) => () => void order.push(name) as undefined;
      const module = fakeModule({
        tasks: {
          gate: { overlap: 'parallel', priority: 'high', run: () => gate.promise },
          low: { priority: 'low', run: note('low') },
          normal: { run: note('normal') },
          high: { priority: 'high', run: note('high') },
        },
      });
      const host = start([module], { perModule: 1 });
      await host.room.enqueue('demo', 'gate', 'null', 0);
      await ran(module, 1);
      for (const task of ['low', 'normal', 'high', 'low']) await host.room.enqueue('demo', task, 'null', 0);
      gate.resolve(undefined);
      await ran(module, 5);
      expect(order).toEqual(['high', 'normal', 'low', 'low']);
    });

    test('after so many failures in a row a schedule pauses itself, and an operator starts it again', async () => {
      let broken = true;
      const run = () => (broken ? Promise.reject(new PlexiError('MODULE_ERROR', 'broken')) : undefined);
      const module = fakeModule({ tasks: { tick: { schedule: EVERY_SECOND, run } } });
      const host = start([module], { pauseAfter: 2 });
      await until(async () => (await view(host, 'tick'))?.state === 'paused');
      const paused = await view(host, 'tick');
      expect(paused?.paused).toMatchObject({ by: 'failures' });
      expect(paused?.paused?.reason).toMatch(/2 times in a row.*broken/);
      expect(paused?.next_at).toBeNull();
      await until(async () => (await host.room.backend?.queue('demo').getJobScheduler('tick')) === undefined);
      broken = false;
      const before = module.taskCalls.length;
      expect(await host.desk.resume('demo', 'tick', 'olga')).toMatchObject({
        state: 'scheduled',
        failures_in_a_row: 0,
      });
      await ran(module, before + 1);
    });

    test('a paused task keeps its pause over a restart, and still runs when it is asked to', async () => {
      const module = fakeModule({ tasks: { tick: { schedule: EVERY_SECOND } } });
      const first = start([module]);
      await scheduled(first, 'tick');
      await first.desk.pause('demo', 'tick', 'olga', 'too loud');
      await first.close();
      const second = start([fakeModule({ tasks: { tick: { schedule: EVERY_SECOND } } })]);
      await until(async () => (await view(second, 'tick'))?.state === 'paused');
      expect((await view(second, 'tick'))?.paused).toMatchObject({ by: 'operator', reason: 'too loud' });
      expect(await second.room.backend?.queue('demo').getJobSchedulersCount()).toBe(0);
      await second.desk.run('demo', 'tick', { by: 'hand' }, 'olga');
      await until(async () => (await second.desk.runs('demo', 'tick', 1))[0]?.state === 'completed');
      expect((await second.desk.runs('demo', 'tick', 1))[0]?.origin).toBe('operator');
    });

    test('a queue that was paused on the board shows as paused, and is resumed like a task', async () => {
      const module = fakeModule({ tasks: { work: {} } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await ran(module, 1);
      await host.room.backend?.queue('demo').pause();
      expect(await view(host, 'work')).toMatchObject({
        state: 'paused',
        paused: { reason: expect.stringContaining('board') },
      });
      expect(await host.desk.resume('demo', 'work', 'olga')).toMatchObject({ state: 'on_demand' });
      await host.room.enqueue('demo', 'work', 'null', 0);
      await ran(module, 2);
    });

    test('a changed schedule takes the place of the old one, and a removed one is gone', async () => {
      const first = start([fakeModule({ tasks: { one: { schedule: NEVER }, two: { schedule: NEVER } } })]);
      await scheduled(first, 'two');
      await first.close();
      const second = start([fakeModule({ tasks: { one: { schedule: '0 0 1 1 *', timezone: 'Asia/Tokyo' } } })]);
      await until(async () => (await second.room.backend?.queue('demo').getJobSchedulersCount()) === 1);
      await until(
        async () => (await second.room.backend?.queue('demo').getJobScheduler('one'))?.pattern === '0 0 1 1 *',
      );
      expect((await view(second, 'one'))?.next_at).toMatch(/-12-31T15:00:00/);
    });

    // The keys of the queue are turned back in time, which only Redis lets a test do simply.
    if (kind.name === 'Redis') {
      test.each([
        ['run-once', 'for hours', 1],
        ['skip', 'for hours', 0],
        ['skip', 'for a moment', 1],
      ] as const)('a slot that was missed: %s, no host was there %s', async (missed, absence, catchUps) => {
        const first = start([fakeModule({ tasks: { tick: { schedule: NEVER, missed } } })]);
        await scheduled(first, 'tick');
        const queue = first.room.backend?.queue('demo');
        const [job] = (await queue?.getDelayed()) ?? [];
        const records = first.room.backend?.records;
        await until(async () => (await records?.read('served/demo')) !== undefined);
        const claim = JSON.parse((await records?.read('served/demo')) ?? '');
        if (absence === 'for hours') await records?.write('served/demo', JSON.stringify({ ...claim, servedAt: 0 }));
        await first.close();
        // As if the slot had been an hour ago.
        const due = Date.now() - 3_600_000;
        const { Redis } = await import('ioredis');
        const client = new Redis(place.url ?? '');
        const keys = `test${installation}:demo`;
        await client.zadd(`${keys}:repeat`, due, 'tick');
        await client.zadd(`${keys}:delayed`, due * 0x1000, job?.id ?? '');
        await client.rename(`${keys}:${job?.id}`, `${keys}:repeat:tick:${due}`);
        await client.zrem(`${keys}:delayed`, job?.id ?? '');
        await client.zadd(`${keys}:delayed`, due * 0x1000, `repeat:tick:${due}`);
        await client.quit();
        const module = fakeModule({ tasks: { tick: { schedule: NEVER, missed }, probe: {} } });
        const second = start([module]);
        await scheduled(second, 'tick');
        await second.room.enqueue('demo', 'probe', 'null', 0);
        await until(() => module.taskCalls.some(({ run }) => run.task === 'probe'));
        await until(
          async () => ((await second.room.backend?.queue('demo').getJobScheduler('tick'))?.next ?? 0) > Date.now(),
        );
        await until(async () => (await second.room.backend?.queue('demo').getActiveCount()) === 0);
        expect(module.taskCalls.filter(({ run }) => run.task === 'tick')).toHaveLength(catchUps);
      });
    }

    test('words that no database stores do not keep a failure from ending', async () => {
      const run = () => Promise.reject(new PlexiError('MODULE_ERROR', '\ud83d\u0000'));
      const module = fakeModule({ tasks: { work: { run } } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'failed');
      expect(module.taskCalls).toHaveLength(1);
    });

    test('a module that only cannot run is renewed, so that no other host takes it for gone', async () => {
      const module = fakeModule({ tasks: { work: { schedule: NEVER } } });
      const host = start([module]);
      const readClaim = async () => JSON.parse((await host.room.backend?.records.read('served/demo')) ?? '{"at":-1}');
      await until(async () => (await readClaim()).at > 0);
      await host.room.backend?.records.write(
        'served/demo',
        JSON.stringify({ ...(await readClaim()), at: 1, servedAt: 1 }),
      );
      module.state = 'parked';
      host.registry.changed(module, 'running');
      await until(async () => (await readClaim()).at > 1);
      expect((await readClaim()).servedAt).toBe(1);
    });

    if (kind.isShared) {
      test('while versions differ, the newest rules the schedules, and knows what the older one queued', async () => {
        const old = { name: 'demo', version: '1.0.0', tasks: { a: { schedule: NEVER, overlap: 'queue' } } } as const;
        const fresh = { name: 'demo', version: '1.1.0', tasks: { a: {}, b: { schedule: NEVER } } } as const;
        const first = start([fakeModule(old)]);
        await until(async () => (await first.room.backend?.records.read('served/demo')) !== undefined);
        expect(await first.room.backend?.queue('demo.a').getJobSchedulersCount()).toBe(1);
        const module = fakeModule(fresh);
        const second = start([module]);
        await scheduled(second, 'b');
        await until(async () => (await second.room.backend?.queue('demo.a').getJobSchedulersCount()) === 0);
        await first.room.mend('demo');
        expect(await second.room.backend?.queue('demo.a').getJobSchedulersCount()).toBe(0);
        expect(await second.room.backend?.queue('demo').getJobSchedulersCount()).toBe(1);
        await first.close();
        // Acknowledged by the old version when the new one had looked already.
        await second.room.backend?.queue('demo.a').add('a', { data: 'null', origin: 'module' });
        await until(() => module.taskCalls.some(({ run }) => run.task === 'a'));
      });
    }

    test('a parked module keeps its schedule and its runs, and goes on when it is back', async () => {
      const run = () =>
        module.state === 'parked' ? Promise.reject(new PlexiError('MODULE_UNAVAILABLE', 'parked')) : '"back"';
      const module: FakeModule = fakeModule({ tasks: { work: { schedule: NEVER, run } } });
      const host = start([module]);
      await scheduled(host, 'work');
      module.state = 'parked';
      host.registry.changed(module, 'running');
      await until(async () => (await view(host, 'work'))?.state === 'idle');
      await host.room.enqueue('demo', 'work', 'null', 0);
      expect(await host.room.backend?.queue('demo').getJobScheduler('work')).toBeDefined();
      module.state = 'running';
      host.registry.changed(module, 'parked');
      await until(async () => (await host.desk.runs('demo', 'work', 5)).some(({ result }) => result === 'back'));
    });

    test('runs of a version that queued them elsewhere are still worked off', async () => {
      const held = fakeModule({ state: 'running', tasks: { work: { overlap: 'queue', run: () => undefined } } });
      const first = start([held]);
      await until(() => first.room.backend !== undefined);
      await first.room.enqueue('demo', 'work', '"old"', 60_000);
      await until(async () => (await first.room.backend?.records.read('served/demo')) !== undefined);
      await first.close();
      const module = fakeModule({ tasks: { work: { overlap: 'parallel' } } });
      const second = start([module]);
      await until(() => second.room.backend !== undefined);
      const [job] = (await second.room.backend?.queue('demo.work').getDelayed()) ?? [];
      await job?.promote();
      await ran(module, 1);
      expect(module.taskCalls[0]?.run.data).toBe('"old"');
    });

    if (!kind.isShared) {
      test('the schedules of a module that nobody serves any more are removed', async () => {
        const first = start([fakeModule({ tasks: { tick: { schedule: NEVER } } })]);
        await scheduled(first, 'tick');
        await until(async () => (await first.room.backend?.records.read('served/demo')) !== undefined);
        await first.close();
        const second = start([fakeModule({ name: 'other', tasks: { tick: { schedule: NEVER } } })]);
        await until(async () => (await second.room.backend?.queue('demo').getJobSchedulersCount()) === 0);
        await until(async () => (await second.room.backend?.records.read('served/demo')) === undefined);
        await until(async () => (await second.room.backend?.queue('other').getJobSchedulersCount()) === 1);
      });
    }

    test('a task that does not exist is refused by name, with those that do', async () => {
      const host = start([fakeModule({ tasks: { work: {} } })]);
      await expect(host.room.enqueue('demo', 'nope', 'null', 0)).rejects.toThrow(/no task nope; allowed are work/);
      await expect(host.desk.pause('demo', 'work', 'olga', '')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    });

    test('more runs than may wait are refused, and the queue stays as it was', async () => {
      const host = start([fakeModule({ state: 'parked', tasks: { work: {} } })], { maxWaiting: 3 });
      for (let run = 0; run < 3; run++) await host.room.enqueue('demo', 'work', 'null', 0);
      await expect(host.room.enqueue('demo', 'work', 'null', 0)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      expect(await host.room.backend?.queue('demo').getWaitingCount()).toBe(3);
    });

    test('one module with many queues holds no more places of the host than one with few', async () => {
      const held = Promise.withResolvers<undefined>();
      const work = { overlap: 'queue', run: () => held.promise } as const;
      const names = Array.from({ length: 10 }, (_none, at) => `work${at}`);
      const greedy = fakeModule({ name: 'greedy', tasks: Object.fromEntries(names.map((name) => [name, work])) });
      const quiet = fakeModule({ name: 'quiet', tasks: { work: {} } });
      const host = start([greedy, quiet], { concurrency: 4, perModule: 2 });
      for (const name of names) await host.room.enqueue('greedy', name, 'null', 0);
      await ran(greedy, 2);
      await host.room.enqueue('quiet', 'work', 'null', 0);
      await ran(quiet, 1);
      expect(greedy.taskCalls).toHaveLength(2);
      held.resolve(undefined);
    });

    test('ended runs do not pile up: the oldest go', async () => {
      const module = fakeModule({ tasks: { work: {} } });
      const host = start([module], { maxEnded: 10 });
      for (let run = 0; run < 40; run++) await host.room.enqueue('demo', 'work', `${run}`, 0);
      await ran(module, 40);
      await until(async () => (await host.room.backend?.queue('demo').getCompletedCount()) === 40);
      await host.room.mend('demo');
      const kept = await host.desk.runs('demo', 'work', 50);
      expect(kept).toHaveLength(10);
      const newest = await host.room.enqueue('demo', 'work', '"newest"', 0);
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.id === newest.id);
    });

    test('a job whose times were edited into nonsense hides no other run', async () => {
      const module = fakeModule({ tasks: { work: {} } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await ran(module, 1);
      await host.room.backend?.queue('demo').add('work', { data: 'null', origin: 'module' }, { timestamp: 9e15 });
      await until(async () => (await host.desk.runs('demo', 'work', 5)).length === 2);
    });

    test('a host that closes gives its runs back, and the next host takes them', async () => {
      const run: NonNullable<Parameters<typeof fakeModule>[0]['tasks']>[string]['run'] = (_run, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new PlexiError('CLIENT_CLOSED', 'The host goes down.')));
        });
      const stuck = fakeModule({ tasks: { work: { run } } });
      const first = start([stuck]);
      const { id } = await first.room.enqueue('demo', 'work', 'null', 0);
      await ran(stuck, 1);
      await first.close(0);
      const module = fakeModule({ tasks: { work: {} } });
      start([module]);
      await ran(module, 1);
      expect(module.taskCalls[0]?.run).toMatchObject({ jobId: id, attempt: 2 });
    });

    test('edited job data that this host would not have written fails for good, and says so', async () => {
      const module = fakeModule({ tasks: { work: { retryCount: 3 } } });
      const host = start([module]);
      await host.room.enqueue('demo', 'work', 'null', 0);
      await ran(module, 1);
      await host.room.backend?.queue('demo').add('work', { data: '{', origin: 'module', __proto__: null });
      await until(async () => (await host.desk.runs('demo', 'work', 1))[0]?.state === 'failed');
      expect((await host.desk.runs('demo', 'work', 1))[0]?.error?.code).toBe('INVALID_INPUT');
    });

    if (kind.isShared) {
      test('the server goes away and comes back: what is asked meanwhile is refused at once, the rest goes on', async () => {
        const module = fakeModule({ tasks: { work: {} } });
        const host = start([module]);
        await host.room.enqueue('demo', 'work', 'null', 0);
        await ran(module, 1);
        await place.server?.stop();
        await until(() => host.lines.some(({ msg }) => msg.includes('cannot be reached')));
        await expect(host.room.enqueue('demo', 'work', 'null', 0)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
        expect(await host.desk.list()).toMatchObject([{ task: 'work' }]);
        await place.server?.start();
        await until(() => host.lines.some(({ msg }) => msg.includes('is back')));
        await host.room.enqueue('demo', 'work', 'null', 0);
        await ran(module, 2);
        expect(host.lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)).toHaveLength(1);
      });
    }
  });
}
