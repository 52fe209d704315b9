import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterCrash,
  CELL_CRASH_COST,
  CRASH_BUDGET,
  CRASH_WINDOW_MS,
  type CrashRecord,
  NO_CRASHES,
} from '../../runtime/modules/restart-policy.ts';

/** The waits before each restart, for crashes at these times; `park` where the budget was spent. */
function waits(times: readonly number[]): (number | 'park')[] {
  let record: CrashRecord = NO_CRASHES;
  return times.map((now) => {
    const verdict = afterCrash(record, now);
    record = verdict.record;
    return verdict.kind === 'park' ? 'park' : verdict.notBefore - now;
  });
}

describe('a module that crashes', () => {
  it('restarts at once the first time and waits twice as long each time after that, up to a limit', () => {
    const times = Array.from({ length: 9 }, (_value, index) => index * 31_000);
    expect(waits(times)).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('starts from no wait again after a calm minute', () => {
    expect(waits([0, 1_000, 2_000, 62_000])).toEqual([0, 500, 1000, 0]);
  });

  it('is parked by the crash that is one over its budget', () => {
    const times = Array.from({ length: CRASH_BUDGET + 1 }, (_value, index) => index * 1_000);
    const verdicts = waits(times);
    expect(verdicts.slice(0, -1)).not.toContain('park');
    expect(verdicts.at(-1)).toBe('park');
  });

  it('is parked with a reason that has the numbers', () => {
    let record: CrashRecord = NO_CRASHES;
    for (let count = 0; count < CRASH_BUDGET; count++) record = afterCrash(record, count).record;
    const verdict = afterCrash(record, CRASH_BUDGET);
    expect(verdict).toMatchObject({ kind: 'park', reason: 'crashed 11 times within 10 minutes' });
  });

  it('is parked by its fourth cell within the window, however calm it is in between', () => {
    let record: CrashRecord = NO_CRASHES;
    const verdicts = [0, 1, 2, 3].map((count) => {
      const verdict = afterCrash(record, count * 120_000, CELL_CRASH_COST);
      record = verdict.record;
      return verdict;
    });
    expect(verdicts.map(({ kind }) => kind)).toEqual(['restart', 'restart', 'restart', 'park']);
    expect(verdicts.at(-1)).toMatchObject({ reason: 'crashed 4 times within 10 minutes, 4 of them with its cell' });
  });

  it('is never parked while its crashes are further apart than the window allows', () => {
    const apart = CRASH_WINDOW_MS / CRASH_BUDGET + 1;
    expect(waits(Array.from({ length: 200 }, (_value, index) => index * apart))).not.toContain('park');
  });

  it('never has a record longer than its budget plus one, nor a wait over the longest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: CRASH_WINDOW_MS }), { maxLength: 60 }), (gaps) => {
        let record: CrashRecord = NO_CRASHES;
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const verdict = afterCrash(record, now);
          record = verdict.record;
          if (verdict.kind === 'restart') {
            expect(verdict.notBefore - now).toBeGreaterThanOrEqual(0);
            expect(verdict.notBefore - now).toBeLessThanOrEqual(30_000);
            expect(record.crashes.length).toBeLessThanOrEqual(CRASH_BUDGET);
          }
          expect(record.crashes.every(({ at }) => now - at < CRASH_WINDOW_MS)).toBe(true);
          if (verdict.kind === 'park') return;
        }
      }),
    );
  });
});
