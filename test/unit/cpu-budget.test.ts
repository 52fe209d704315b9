import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBudget } from '../../runtime/cells/cpu-budget.ts';

function budgetOf(ms: number) {
  const clock = { ms: 0 };
  const budget = new CpuBudget(ms, () => clock.ms);
  const said: string[] = [];
  const ended = new Set<string>();
  const open = (name: string) =>
    budget.open({
      onSpent: (usedMs) => said.push(`${name} spent ${usedMs}`),
      hasEnded: () => ended.has(name),
      onOverrun: (usedMs) => said.push(`${name} overran ${usedMs}`),
    });
  /** After so many milliseconds the thread has used so much in all. */
  const read = (afterMs: number, cpuMs: number): void => {
    clock.ms += afterMs;
    budget.read(cpuMs);
  };
  return { clock, said, ended, open, read };
}

describe('the processor time of one invocation', () => {
  it('is charged to it, and said once when it is spent', () => {
    const { said, open, read } = budgetOf(150);
    open('a');
    read(100, 100);
    expect(said).toEqual([]);
    read(100, 200);
    read(100, 300);
    expect(said).toEqual(['a spent 200']);
  });

  it('that goes on after its budget is overrun a second of processor time later, once', () => {
    const { said, open, read } = budgetOf(150);
    open('a');
    for (let at = 1; at <= 20; at++) read(100, 100 * at);
    expect(said).toEqual(['a spent 200', 'a overran 1200']);
  });

  it('is not overrun by one that has ended meanwhile', () => {
    const { said, ended, open, read } = budgetOf(150);
    open('a');
    read(200, 200);
    ended.add('a');
    for (let at = 3; at <= 40; at++) read(100, 100 * at);
    expect(said).toEqual(['a spent 200']);
  });

  it('is divided by the time that each was open, those that came and went included', () => {
    const { clock, said, open, read } = budgetOf(49);
    for (let at = 0; at < 9; at++) {
      const short = open('short');
      clock.ms += 10;
      short.close();
    }
    open('last');
    read(10, 100);
    // A tenth of the time, so a tenth of the 100 ms.
    expect(said).toEqual([]);
    read(50, 150);
    expect(said).toEqual(['last spent 60']);
  });

  it('is nobody’s when nobody was there', () => {
    const { said, open, read } = budgetOf(10);
    read(100, 100);
    open('a');
    read(100, 105);
    expect(said).toEqual([]);
  });

  it('adds up: what is charged is never more than what was used', () => {
    const step = fc.record({
      opens: fc.nat(4),
      closes: fc.nat(4),
      ms: fc.integer({ min: 1, max: 50 }),
      cpu: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const clock = { ms: 0 };
        // Every invocation spends its budget at the first charge, and says what it was charged by then.
        const budget = new CpuBudget(0, () => clock.ms);
        const accounts: { close(): void }[] = [];
        let charged = 0;
        let used = 0;
        for (const { opens, closes, ms, cpu } of steps) {
          for (let at = 0; at < opens; at++) {
            accounts.push(
              budget.open({ onSpent: (usedMs) => (charged += usedMs), hasEnded: () => true, onOverrun: () => {} }),
            );
          }
          clock.ms += ms;
          for (let at = 0; at < closes; at++) accounts.shift()?.close();
          used += cpu;
          budget.read(used);
        }
        // Each is rounded by itself.
        expect(charged).toBeLessThanOrEqual(used + steps.length * 4);
      }),
    );
  });
});
