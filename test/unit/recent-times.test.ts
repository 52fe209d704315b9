import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentTimes } from '../../runtime/observability/recent-times.ts';

it('percentiles are within 7 % of the right ones, whatever was recorded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.002, max: 10_000_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (times) => {
        const recent = new RecentTimes();
        for (const ms of times) recent.record(ms);
        const sorted = times.toSorted((one, other) => one - other);
        const view = recent.view();
        expect(view?.count).toBe(times.length);
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
        ] as const) {
          const right = sorted[Math.max(1, Math.floor(times.length * share + 0.5)) - 1] ?? 0;
          expect(Math.abs((view?.[name] ?? 0) - right)).toBeLessThanOrEqual(right * 0.07 + 0.002);
        }
      },
    ),
  );
});

it('what is older than ten minutes is gone, what is younger than five is there', () => {
  const clock = { now: 1_000_000 };
  const recent = new RecentTimes(() => clock.now);
  expect(recent.view()).toBeUndefined();
  recent.record(5);
  clock.now += 299_000;
  expect(recent.view()?.count).toBe(1);
  clock.now += 2_000;
  recent.record(50);
  expect(recent.view()).toMatchObject({ count: 2, max: expect.closeTo(50, -1) });
  clock.now += 300_000;
  expect(recent.view()).toMatchObject({ count: 1, max: expect.closeTo(50, -1) });
  clock.now += 700_000;
  expect(recent.view()).toBeUndefined();
});

it('odd times are taken for none, and end nobody', () => {
  const recent = new RecentTimes();
  for (const ms of [Number.NaN, -5, 0, Number.POSITIVE_INFINITY, 0.000001]) recent.record(ms);
  recent.record(1e12);
  expect(recent.view()).toMatchObject({ count: 6, p50: expect.any(Number) });
  expect(recent.view()?.p50).toBeLessThan(0.01);
});
