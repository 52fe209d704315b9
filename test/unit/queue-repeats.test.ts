import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRepeatFilter, withoutNumbers } from '../../runtime/queue/repeats.ts';

describe('what is said again and again', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is told once, and again after the pause', () => {
    const isNew = createRepeatFilter(1000);
    expect(['a', 'a', 'b', 'a'].map(isNew)).toEqual([true, false, true, false]);
    vi.advanceTimersByTime(999);
    expect(isNew('a')).toBe(false);
    vi.advanceTimersByTime(1);
    expect(['a', 'a'].map(isNew)).toEqual([true, false]);
  });

  it('is not forgotten for ever when a clock is set back', () => {
    const isNew = createRepeatFilter(1000);
    isNew('a');
    vi.setSystemTime(Date.now() - 3_600_000);
    vi.advanceTimersByTime(1000);
    expect(isNew('a')).toBe(true);
  });

  it('remembers a bounded number of messages', () => {
    const isNew = createRepeatFilter(1000);
    for (let index = 0; index < 101; index++) isNew(`message ${index}`);
    expect(isNew('message 0')).toBe(true);
  });

  it('is the same with other numbers in it', () => {
    expect(withoutNumbers('10:31 UTC [42] FATAL')).toBe(withoutNumbers('11:07 UTC [43] FATAL'));
  });
});
