/** When a schedule is due: the rules of cron, time zones and changes of the clock, as the queue computes them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextSlot } from '../../runtime/tasks/next-slot.ts';
import { findTaskProblems } from '../../runtime/tasks/plan.ts';

function due(pattern: string, tz: string, from: string, count: number): string[] {
  let after = Date.parse(from);
  return Array.from({ length: count }, () => {
    after = nextSlot({ pattern, timezone: tz }, after);
    return new Date(after).toISOString();
  });
}

describe('a daily task at half past two in Berlin', () => {
  test('runs once on the day when that hour does not exist, and at its time again the day after', () => {
    const times = due('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2);
    expect(times[0]?.slice(0, 10)).toBe('2026-03-29');
    expect(times[1]).toBe('2026-03-30T00:30:00.000Z');
  });

  test('runs once on the day when that hour comes twice', () => {
    const times = due('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2);
    expect(times[0]?.slice(0, 10)).toBe('2026-10-25');
    expect(times[1]).toBe('2026-10-26T01:30:00.000Z');
  });
});

test('an hourly task runs every hour, whatever the clocks on the wall do', () => {
  for (const from of ['2026-03-28T23:30:00Z', '2026-10-24T22:30:00Z']) {
    const times = due('0 * * * *', 'Europe/Berlin', from, 6).map(Date.parse);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps).toEqual([3_600_000, 3_600_000, 3_600_000, 3_600_000, 3_600_000]);
  }
});

test('six fields begin with the seconds', () => {
  expect(due('15 30 * * * *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual([
    '2026-01-01T00:30:15.000Z',
    '2026-01-01T01:30:15.000Z',
  ]);
});

test('a zone half an hour off the hour is kept to', () => {
  expect(due('0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T03:30:00.000Z']);
});

test('whatever text a module gives as its schedule, it is taken or refused by name, and never throws', () => {
  const task = { name: 'one', retryCount: 0, timeout: 1, priority: 'normal', overlap: 'skip', missed: 'skip' } as const;
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), (schedule) => {
      const problems = findTaskProblems([{ ...task, schedule }]);
      expect(problems.every((problem) => problem.startsWith('task one: '))).toBe(true);
      if (problems.length === 0) expect(nextSlot({ pattern: schedule, timezone: 'UTC' }, 0)).toBeGreaterThan(0);
    }),
  );
});

test.each(['* * * * *', '*/5 * * * *', '0 9-17 * * MON-FRI', '0 0 1,15 * *', '*/10 * * * * *'])(
  '%s is taken',
  (schedule) => {
    const task = {
      name: 'one',
      retryCount: 0,
      timeout: 1,
      priority: 'normal',
      overlap: 'skip',
      missed: 'skip',
    } as const;
    expect(findTaskProblems([{ ...task, schedule }])).toEqual([]);
  },
);

test.each(['@hourly', '0 0 31 2 *', '* * * *', '* * * * * * *', '60 * * * *', ''])('%j is refused', (schedule) => {
  const task = { name: 'one', retryCount: 0, timeout: 1, priority: 'normal', overlap: 'skip', missed: 'skip' } as const;
  expect(findTaskProblems([{ ...task, schedule }])).toHaveLength(1);
});
