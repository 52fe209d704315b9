/** What becomes of one job: with a queue, a module and a clock that the test holds in its hands. */
import type { TaskDeclaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Job } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { InstanceGone } from '../../runtime/cells/instance.ts';
import { Slots } from '../../runtime/modules/slots.ts';
import type { JobData } from '../../runtime/tasks/job-data.ts';
import { planTasks } from '../../runtime/tasks/plan.ts';
import { type RunParts, type RunResult, runJob } from '../../runtime/tasks/run-job.ts';
import { RunningJobs } from '../../runtime/tasks/running.ts';
import { type FakeTaskHandler, fakeModule } from '../support/fake-modules.ts';

const SLOT = Date.UTC(2026, 0, 1, 12, 0, 0);
const MINUTE = 60_000;

interface Given {
  readonly task?: Partial<TaskDeclaration>;
  readonly run?: FakeTaskHandler;
  readonly data?: Partial<JobData>;
  readonly job?: Record<string, unknown>;
  readonly parts?: Partial<RunParts>;
  readonly now?: number;
}

function stage({ task = {}, run, data = {}, job: over = {}, parts: parted = {}, now = SLOT }: Given) {
  const tasks = { work: { schedule: '* * * * *', ...task, ...(run === undefined ? {} : { run }) } };
  const module = fakeModule({ tasks });
  const plan = planTasks(module.manifest, module.declaration.tasks);
  const ends: string[] = [];
  const faults: unknown[] = [];
  const counted: (string | undefined)[] = [];
  const job = fakeJob({ data: { data: 'null', origin: 'schedule', ...data }, ...over });
  const parts: RunParts = {
    planOf: (_module, name) => plan.tasks.get(name),
    moduleOf: () => module,
    running: new RunningJobs((_run, error) => faults.push(error)),
    places: new Slots(4, 4),
    isShared: () => false,
    isPaused: async () => false,
    others: async () => [],
    meter: { started: () => {}, ended: (_module, _task, outcome) => void ends.push(outcome) },
    graceMs: 0,
    onScheduled: async (_plan, failure) => void counted.push(failure),
    onFault: (_module, error) => void faults.push(error),
    now: () => now,
    ...parted,
  };
  const perform = (): Promise<RunResult> =>
    runJob(parts, { module: 'demo', job: job as unknown as Job, token: 't', places: new Slots(4, 4) });
  return { perform, module, job, ends, faults, counted, parts };
}

function fakeJob(over: Record<string, unknown>) {
  const put: { at: number }[] = [];
  const lines: string[] = [];
  return {
    id: `repeat:work:${SLOT}`,
    name: 'work',
    repeatJobKey: 'work',
    timestamp: SLOT,
    attemptsMade: 0,
    opts: { attempts: 1 },
    put,
    lines,
    updateProgress: async () => {},
    log: async (line: string) => lines.push(line),
    async updateData(this: { data: unknown }, data: unknown) {
      this.data = data;
    },
    moveToDelayed: async (at: number) => void put.push({ at }),
    ...over,
  };
}

describe('a slot of the schedule', () => {
  test('is run, and its success is counted', async () => {
    const { perform, module, counted, ends } = stage({ run: () => '1' });
    expect(await perform()).toEqual({ result: '1' });
    expect(module.taskCalls[0]?.run).toMatchObject({ attempt: 1, slot: '2026-01-01T12:00:00.000Z' });
    expect([counted, ends]).toEqual([[undefined], ['completed']]);
  });

  test('of a schedule that was paused in the meantime is left out', async () => {
    const { perform, module } = stage({ parts: { isPaused: async () => true } });
    expect(await perform()).toEqual({ skipped: 'paused' });
    expect(module.taskCalls).toHaveLength(0);
  });

  test('that begins again while a later one is under way waits for it', async () => {
    const others = async () => [{ since: SLOT + MINUTE, jobId: 'later' }];
    const { perform, module, job } = stage({ job: { attemptsMade: 1, opts: { attempts: 3 } }, parts: { others } });
    await expect(perform()).rejects.toThrow('Delayed');
    expect(module.taskCalls).toHaveLength(0);
    expect(job.put).toEqual([{ at: SLOT + 5_000 }]);
  });

  test('that has waited for later ones for too long is left out', async () => {
    const others = async () => [{ since: SLOT + MINUTE, jobId: 'later' }];
    const job = { attemptsMade: 1, opts: { attempts: 3 } };
    expect(await stage({ job, parts: { others }, now: SLOT + 11 * MINUTE }).perform()).toEqual({ skipped: 'overlap' });
  });

  test('that begins for the first time does not wait for a later one', async () => {
    const others = async () => [{ since: SLOT + MINUTE, jobId: 'later' }];
    expect(await stage({ run: () => '1', parts: { others } }).perform()).toEqual({ result: '1' });
  });

  test('is put off, not failed, when the queue cannot say who else is under way', async () => {
    const others = () => Promise.reject(new Error('Connection is closed.'));
    const { perform, job, counted, ends } = stage({ parts: { others } });
    await expect(perform()).rejects.toThrow('Delayed');
    expect(job.put).toHaveLength(1);
    expect([counted, ends]).toEqual([[], []]);
  });

  test('of a module that could not be started until its next slot was due is left out', async () => {
    const run = () => Promise.reject(new PlexiError('MODULE_UNAVAILABLE', 'no room'));
    expect(await stage({ run, now: SLOT + MINUTE }).perform()).toEqual({ skipped: 'superseded' });
    await expect(stage({ run, now: SLOT + 1_000 }).perform()).rejects.toThrow('Delayed');
  });

  test('that made ten hosts go away is not given to another one', async () => {
    const { perform, module, ends } = stage({ job: { stalledCounter: 11 } });
    await expect(perform()).rejects.toThrow(/^MODULE_CRASHED: Its host went away 11 times/);
    expect([module.taskCalls.length, ends]).toEqual([0, ['failed']]);
  });
});

describe('a run that came to nothing without its fault', () => {
  const gone = () => Promise.reject(new InstanceGone('Its thread ended.', true));

  test('goes back into the queue, however often the queue has to be asked', async () => {
    let refusals = 2;
    const moveToDelayed = async () => {
      if (refusals-- > 0) throw new Error('Connection is closed.');
    };
    const { perform, faults } = stage({ run: gone, job: { moveToDelayed } });
    await expect(perform()).rejects.toThrow('Delayed');
    expect([refusals, faults]).toEqual([-1, []]);
  });

  test('counts its crashes apart from hosts that went down in order', async () => {
    const afterDeploys = stage({ run: gone, data: { interruptions: 9, crashes: 0 } });
    await expect(afterDeploys.perform()).rejects.toThrow('Delayed');
    expect(afterDeploys.job).toMatchObject({ data: { interruptions: 10, crashes: 1 } });
    await expect(stage({ run: gone, data: { interruptions: 3, crashes: 3 } }).perform()).rejects.toThrow(
      /^MODULE_CRASHED/,
    );
  });

  test('tells in its log what happened', async () => {
    const { perform, job } = stage({ run: gone });
    await expect(perform()).rejects.toThrow('Delayed');
    expect(job.lines).toEqual(['Interrupted, runs again: Its thread ended.']);
  });

  test('and whose lock ran out while it is still under way here waits for itself', async () => {
    const held = Promise.withResolvers<undefined>();
    const first = stage({ run: () => held.promise });
    const running = first.perform();
    const again = stage({ parts: { running: first.parts.running } });
    await expect(again.perform()).rejects.toThrow('Delayed');
    expect(again.module.taskCalls).toHaveLength(0);
    held.resolve(undefined);
    await running;
  });
});

describe('a task that this host does not know', () => {
  const unknown = { name: 'new_one', opts: {} };

  test('may be known by another host of a shared queue, for an hour', async () => {
    const { perform, job } = stage({ job: unknown, parts: { isShared: () => true } });
    await expect(perform()).rejects.toThrow('Delayed');
    expect(job.put).toEqual([{ at: SLOT + 30_000 }]);
    const late = stage({ job: unknown, parts: { isShared: () => true }, now: SLOT + 61 * MINUTE });
    await expect(late.perform()).rejects.toThrow(/has no task new_one any more/);
  });

  test('is known by nobody where there is no other host', async () => {
    const { perform, ends } = stage({ job: unknown });
    await expect(perform()).rejects.toThrow(/has no task new_one any more/);
    expect(ends).toEqual(['failed']);
  });
});

test('an error of the host itself is tried again, and never names a file of the host', async () => {
  const run = () => Promise.reject(new TypeError('cannot read /srv/host/secret.ts'));
  await expect(stage({ run }).perform()).rejects.toThrow('Delayed');
  const { perform, faults } = stage({ run, data: { crashes: 3 } });
  const error = await perform().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ stack: 'INTERNAL: The host failed at running it.' });
  expect(faults).toHaveLength(1);
});
