import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IDLE_BURST_MS, IDLE_SHARE, IdleWork } from '../../runtime/cells/idle-work.ts';

/** Reads every 100 ms a thread that works `share` of the time for nobody. @returns seconds until it is told off */
function secondsOf(share: number, isInUse: (second: number) => boolean = () => false): number | undefined {
  const work = new IdleWork();
  for (let look = 0; look < 6_000; look += 1) {
    if (work.read(look * 100 * share, look * 100, isInUse(look / 10)) !== undefined) return look / 10;
  }
  return undefined;
}

describe('work for nobody', () => {
  it('of a fifth of a processor goes on for ever', () => {
    expect(secondsOf(0.2)).toBeUndefined();
  });

  it('of most of one ends after some seconds', () => {
    expect(secondsOf(0.9)).toBeCloseTo(IDLE_BURST_MS / (0.9 - IDLE_SHARE) / 1000, 0);
  });

  it('is not what a thread does for who waits', () => {
    expect(secondsOf(1, () => true)).toBeUndefined();
    expect(secondsOf(1, (second) => second > 3)).toBeUndefined();
  });

  it('is found out although somebody waits now and then', () => {
    expect(secondsOf(1, (second) => second % 1 < 0.1)).toBeLessThan(10);
  });

  it('below the share is never told off, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 100 }), (pauses) => {
        const work = new IdleWork();
        let now = 0;
        let cpuMs = 0;
        for (const pause of pauses) {
          now += pause;
          cpuMs += pause * IDLE_SHARE;
          expect(work.read(cpuMs, now, false)).toBeUndefined();
        }
      }),
    );
  });
});
