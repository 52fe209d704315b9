import type { TaskDeclaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InstanceGone } from '../../runtime/cells/instance.ts';
import { judge, MAX_CRASHES, readReason } from '../../runtime/tasks/failure.ts';
import { readJobData, slotOf } from '../../runtime/tasks/job-data.ts';
import { findTaskProblems, isQueueOf, isSamePlan, planTasks } from '../../runtime/tasks/plan.ts';
import { retryDelayMs } from '../../runtime/tasks/retry-delay.ts';

const section = { enabled: true, schedule: '*/5 * * * *', timezone: 'Europe/Berlin' };

function task(name: string, over: Partial<TaskDeclaration> = {}): TaskDeclaration {
  return { name, retryCount: 0, timeout: 300, priority: 'normal', overlap: 'skip', missed: 'skip', ...over };
}

function plan(...declared: TaskDeclaration[]) {
  return planTasks({ module_name: 'demo', tasks: section }, declared);
}

describe('the wait before a retry', () => {
  test('doubles from one second, and is never longer than an hour', () => {
    const longest = [1, 2, 3, 12, 13, 100].map((attempts) => retryDelayMs(attempts, () => 1));
    expect(longest).toEqual([1_000, 2_000, 4_000, 2_048_000, 3_600_000, 3_600_000]);
  });

  test('lies between half and the whole of it, for any number of attempts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempts, random) => {
          const whole = Math.min(1_000 * 2 ** (attempts - 1), 3_600_000);
          const wait = retryDelayMs(attempts, () => random);
          return Number.isInteger(wait) && wait >= whole / 2 && wait <= whole;
        },
      ),
    );
  });
});

describe('what an attempt that did not succeed means', () => {
  test('a module that was not even started costs no attempt, and is asked again when it said', () => {
    const error = new PlexiError('MODULE_UNAVAILABLE', 'starting', { headers: { 'retry-after': '7' } });
    expect(judge(error, 0)).toEqual({ kind: 'again', afterMs: 7_000, isInterruption: false, isCrash: false });
  });

  test('an absurd Retry-After is not believed', () => {
    const error = new PlexiError('MODULE_OVERLOADED', 'full', { headers: { 'retry-after': '999999999' } });
    expect(judge(error, 0)).toMatchObject({ kind: 'again', afterMs: 60_000 });
  });

  test('a thread that goes away under a run starts it again, until that has happened too often', () => {
    const gone = new InstanceGone('It is gone.', true);
    expect(judge(gone, 0)).toMatchObject({ kind: 'again', isInterruption: true });
    expect(judge(gone, MAX_CRASHES)).toMatchObject({ kind: 'failed', isFinal: false });
  });

  test('a run that was cut off in company is started again more often than one that was alone', () => {
    expect(judge(new InstanceGone('Its cell ended.', false), MAX_CRASHES)).toMatchObject({ kind: 'again' });
    expect(judge(new InstanceGone('Its cell ended.', false), 10)).toMatchObject({ kind: 'failed' });
  });

  test('a timeout may be tried again, an unrecoverable failure may not', () => {
    expect(judge(new PlexiError('TASK_TIMEOUT', 'late'), 0)).toMatchObject({ isFinal: false, end: 'timeout' });
    expect(judge(new PlexiError('TASK_UNRECOVERABLE', 'no'), 0)).toMatchObject({ isFinal: true });
  });

  test('an error of the host itself tells nothing of the host', () => {
    expect(judge(new Error('/home/operator/secret'), MAX_CRASHES)).toMatchObject({
      reason: 'INTERNAL: The host failed at running it.',
    });
  });

  test('half of a surrogate pair, written or cut, does not keep a failure from being stored', () => {
    for (const message of ['\ud83d', `${'x'.repeat(1_999)}😀`]) {
      const verdict = judge(new PlexiError('MODULE_ERROR', message), 0);
      expect(verdict.kind === 'failed' && verdict.reason.isWellFormed()).toBe(true);
    }
  });

  test('a host that goes down in order costs a run none of its crashes', () => {
    expect(judge(new PlexiError('CLIENT_CLOSED', 'stop'), 99)).toMatchObject({ kind: 'again', isCrash: false });
  });

  test('a reason reads back as code and message, without control characters', () => {
    const verdict = judge(new PlexiError('MODULE_ERROR', 'a\u0000b\u001b[2Jc'), 0);
    const reason = verdict.kind === 'failed' ? verdict.reason : '';
    expect(readReason(reason)).toEqual({ code: 'MODULE_ERROR', message: 'a\\u0000b\\u001b[2Jc' });
    expect(readReason('job stalled more than allowable limit').code).toBe('INTERNAL');
  });
});

describe('the data of a job', () => {
  test('is written anew by the host, whatever stood there', () => {
    expect(readJobData({ data: { data: ' { "a" : 1 } ', origin: 'module' } }).data).toBe('{"a":1}');
  });

  test('any JSON value survives, NUL and lone surrogates included', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { data } = readJobData({ data: { data: JSON.stringify(value), origin: 'module' } });
        expect(JSON.parse(data)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    ['no object', 'text'],
    ['an unknown key', { data: '1', origin: 'module', more: 1 }],
    ['an origin that does not exist', { data: '1', origin: 'guest' }],
    ['no JSON', { data: '{', origin: 'module' }],
    ['JSON that nests without end', { data: '['.repeat(30_000) + ']'.repeat(30_000), origin: 'module' }],
  ])('%s is refused', (_what, data) => {
    expect(() => readJobData({ data })).toThrow(/data/);
  });

  test('the slot is read from the id of a scheduled job only', () => {
    expect(slotOf({ id: 'repeat:refresh:1700000000000', repeatJobKey: 'refresh' })?.getTime()).toBe(1_700_000_000_000);
    expect(slotOf({ id: 'repeat:refresh:1700000000000' })).toBeUndefined();
    expect(slotOf({ id: 'repeat:refresh:soon', repeatJobKey: 'refresh' })).toBeUndefined();
  });
});

describe('the plan of a module', () => {
  test('has nothing when its tasks are switched off', () => {
    const off = planTasks({ module_name: 'demo', tasks: { ...section, enabled: false } }, [task('one')]);
    expect(off.tasks.size).toBe(0);
  });

  test('gives runs that must not overlap a queue of their own', () => {
    const { queues, tasks } = plan(task('one'), task('two', { overlap: 'queue' }));
    expect([...queues]).toEqual([
      ['demo', { isSerial: false }],
      ['demo.two', { isSerial: true }],
    ]);
    expect(tasks.get('two')?.queue).toBe('demo.two');
  });

  test('numbers priorities from the highest that is used, which has none', () => {
    const { tasks } = plan(task('low', { priority: 'low' }), task('normal'));
    expect(tasks.get('normal')?.job.priority).toBeUndefined();
    expect(tasks.get('low')?.job.priority).toBe(1);
  });

  test('takes the time zone of the module where the task names none', () => {
    const { tasks } = plan(
      task('one', { schedule: '0 2 * * *' }),
      task('two', { schedule: '0 2 * * *', timezone: 'UTC' }),
    );
    expect(tasks.get('one')?.schedule).toEqual({ pattern: '0 2 * * *', timezone: 'Europe/Berlin' });
    expect(tasks.get('two')?.schedule?.timezone).toBe('UTC');
  });

  test('may have so many queues and no more', () => {
    const many = Array.from({ length: 17 }, (_none, at) => task(`serial${at}`, { overlap: 'queue' }));
    expect(findTaskProblems(many.slice(0, 16))).toEqual([]);
    expect(findTaskProblems(many)).toEqual([expect.stringMatching(/^17 tasks have overlap: queue.*16 are allowed/)]);
  });

  test('owns the queues that bear its name, and no others', () => {
    expect(['demo', 'demo.two'].every((queue) => isQueueOf('demo', queue))).toBe(true);
    expect(['other', 'demo2', 'demo.', 'demo.two.three', 'demo.two\n'].some((queue) => isQueueOf('demo', queue))).toBe(
      false,
    );
  });

  test('is the same only when every task of it is', () => {
    expect(isSamePlan(plan(task('one')), plan(task('one')))).toBe(true);
    expect(isSamePlan(plan(task('one')), plan(task('one', { timeout: 10 })))).toBe(false);
  });

  test('refuses schedules and time zones that do not exist, by task', () => {
    const problems = findTaskProblems([
      task('one', { schedule: '61 * * * *' }),
      task('two', { schedule: '* * *' }),
      task('three', { schedule: '0 0 * * *', timezone: 'Mars/Olympus' }),
      task('four', { schedule: '*/10 * * * * *' }),
    ]);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/^task one: .*61/);
    expect(problems[1]).toMatch(/^task two: .*3 fields/);
    expect(problems[2]).toMatch(/^task three: .*Mars\/Olympus/);
  });
});
