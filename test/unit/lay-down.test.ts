import type { TaskDeclaration } from '@plexichat/sdk/protocol/declaration';
import type { JobSchedulerJson, Queue } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { planTasks } from '../../runtime/tasks/plan.ts';
import { layDown } from '../../runtime/tasks/schedules.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
const HOUR = 3_600_000;
const DAILY = '0 0 * * *';
const NEXT = Date.UTC(2026, 0, 2);

interface Found extends Partial<JobSchedulerJson> {
  /** Whether the next run is there, and how. */
  readonly slot?: 'delayed' | 'taken' | 'gone';
}

function queueWith(found: Found | undefined) {
  const laid: string[] = [];
  const removed: string[] = [];
  const { slot = 'delayed', ...scheduler } = found ?? {};
  const base = {
    key: 'tick',
    name: 'tick',
    pattern: DAILY,
    tz: 'UTC',
    next: NEXT,
    template: { opts: { attempts: 1 } },
  };
  const queue = {
    getJobSchedulers: async () => (found === undefined ? [] : [{ ...base, ...scheduler }]),
    removeJobScheduler: async (key: string) => void removed.push(key),
    getJob: async () => (slot === 'gone' ? undefined : { isDelayed: async () => slot === 'delayed' }),
    upsertJobScheduler: async (key: string) => void laid.push(key),
  };
  return { queue: queue as unknown as Queue, laid, removed };
}

function plans(over: Partial<TaskDeclaration> = {}) {
  const tick = { name: 'tick', schedule: DAILY, retryCount: 0, timeout: 1, priority: 'normal' } as const;
  const declared: TaskDeclaration = { ...tick, overlap: 'skip', missed: 'skip', ...over };
  const section = { enabled: true, schedule: DAILY, timezone: 'UTC' };
  return [...planTasks({ module_name: 'demo', tasks: section }, [declared]).tasks.values()];
}

async function lay(found: Found | undefined, over: Partial<TaskDeclaration> = {}, isReturn = false) {
  const { queue, laid, removed } = queueWith(found);
  const result = await layDown(queue, plans(over), { now: NOW, isReturn, onFailure: () => {} });
  return { ...result, laid, removed };
}

describe('a schedule in the queue', () => {
  test('is laid down when it is new, and left alone when it is as declared', async () => {
    expect((await lay(undefined)).laid).toEqual(['tick']);
    expect((await lay({})).laid).toEqual([]);
  });

  test('is laid down again when it was changed', async () => {
    expect((await lay({ pattern: '5 5 * * *' })).laid).toEqual(['tick']);
    expect((await lay({ tz: 'Asia/Tokyo' })).laid).toEqual(['tick']);
    expect((await lay({ template: { opts: { attempts: 4 } } })).laid).toEqual(['tick']);
  });

  test('that nobody declares is removed', async () => {
    expect((await lay({ key: 'old' })).removed).toEqual(['old']);
  });

  test('that a clock in the future laid down is brought back', async () => {
    expect((await lay({ next: NEXT + 365 * 24 * HOUR })).laid).toEqual(['tick']);
  });

  test('whose next run was removed by hand is laid down again', async () => {
    expect((await lay({ next: NOW - HOUR, slot: 'gone' })).laid).toEqual(['tick']);
    expect((await lay({ next: NOW - 1_000, slot: 'gone' })).laid).toEqual([]);
  });
});

describe('a slot that is due', () => {
  const due = { next: NOW - HOUR } as const;

  test('is given up on return with missed: skip, and kept with run-once', async () => {
    expect(await lay(due, {}, true)).toMatchObject({ givenUp: ['tick'], laid: ['tick'] });
    expect(await lay(due, { missed: 'run-once' }, true)).toMatchObject({ givenUp: [], laid: [] });
  });

  test('is kept while somebody was there all the time: it waits for a free place', async () => {
    expect(await lay(due)).toMatchObject({ givenUp: [], laid: [] });
  });

  test('and has been taken is not given up', async () => {
    expect(await lay({ ...due, slot: 'taken' }, {}, true)).toMatchObject({ givenUp: [], laid: [] });
  });

  test('is made up for before a change of its schedule, with run-once', async () => {
    const changed = { ...due, pattern: '5 5 * * *' };
    expect(await lay(changed, { missed: 'run-once' }, true)).toMatchObject({ pending: ['tick'], laid: [] });
    expect(await lay({ ...changed, slot: 'taken' }, { missed: 'run-once' }, true)).toMatchObject({ laid: ['tick'] });
  });
});

test('one schedule that cannot be laid down does not keep the others back', async () => {
  const failures: string[] = [];
  const { queue, laid } = queueWith(undefined);
  const both = [...plans({ name: 'bad' }), ...plans()];
  const upsert = queue.upsertJobScheduler.bind(queue);
  Object.assign(queue, {
    upsertJobScheduler: async (key: string) => {
      if (key === 'bad') throw new Error('-10');
      return upsert(key, {});
    },
  });
  await layDown(queue, both, { now: NOW, isReturn: false, onFailure: (task) => failures.push(task) });
  expect([failures, laid]).toEqual([['bad'], ['tick']]);
});
