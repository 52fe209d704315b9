import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchForStuck } from '../../runtime/queue/stuck-watch.ts';

const LOOK_MS = 5000;

describe('the watch over a thread that may hang', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function watch(oldest: () => number | undefined) {
    const told: number[] = [];
    let slept = 0;
    watchForStuck(
      oldest,
      (afterMs) => told.push(afterMs),
      () => performance.now() + slept,
    );
    return { told, sleep: (ms: number) => (slept += ms) };
  }

  it('tells of a request that is still not answered after half a minute', () => {
    const { told } = watch(() => 7);
    vi.advanceTimersByTime(6 * LOOK_MS);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(LOOK_MS);
    expect(told).toEqual([30_000]);
  });

  it('is silent while requests come and go, and when there is none', () => {
    let id = 0;
    const busy = watch(() => ++id);
    const idle = watch(() => undefined);
    vi.advanceTimersByTime(100 * LOOK_MS);
    expect([...busy.told, ...idle.told]).toEqual([]);
  });

  it('does not care that the clock is set', () => {
    const { told } = watch(() => 7);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(2 * LOOK_MS);
    expect(told).toEqual([]);
  });

  it('begins anew when the machine slept', () => {
    const { told, sleep } = watch(() => 7);
    for (let night = 0; night < 5; night++) {
      vi.advanceTimersByTime(5 * LOOK_MS);
      sleep(3_600_000);
      vi.advanceTimersByTime(LOOK_MS);
    }
    expect(told).toEqual([]);
    vi.advanceTimersByTime(6 * LOOK_MS);
    expect(told).toEqual([30_000]);
  });
});
