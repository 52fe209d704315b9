import { expect, it } from 'vitest';
import { showDuration, showMoment } from '../../runtime/cli/times.ts';

const now = new Date(2026, 4, 1, 12, 0, 10);
const at = (ms: number) => showMoment(new Date(now.getTime() + ms).toISOString(), now);

it.each([
  [0, 'now (12:00)'],
  [999, 'now (12:00)'],
  [1000, 'in 1 s (12:00)'],
  [-59_999, '59 s ago (11:59)'],
  [260_000, 'in 4 min (12:04)'],
  [-3_600_000, '1 h ago (11:00)'],
  [47 * 3_600_000, 'in 47 h (2026-05-03 11:00)'],
  [-72 * 3_600_000, '3 d ago (2026-04-28 12:00)'],
])('a moment %i ms away is shown as %s', (ms, text) => {
  expect(at(ms)).toBe(text);
});

it('what is no moment is shown as it is', () => {
  expect(showMoment('soon', now)).toBe('soon');
});

it.each([
  [0, '0 ms'],
  [1500, '1.5 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [83_000, '1 min 23 s'],
  [3_660_000, '1 h 1 min'],
  [-5, ''],
  [Number.NaN, ''],
])('a duration of %d ms is shown as "%s"', (ms, text) => {
  expect(showDuration(ms)).toBe(text);
});
