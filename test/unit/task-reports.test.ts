import { describe, expect, it } from 'vitest';
import { createTaskReports } from '../../runtime/guest/task-reports.ts';
import type { Timers } from '../../runtime/guest/timers.ts';

function open({ full = false } = {}) {
  const calls: unknown[][] = [];
  const waiting = new Map<number, () => void>();
  let last = 0;
  const timers: Timers = {
    setTimeout(callback) {
      if (full) throw new RangeError('At most 10000 timers may be set at once.');
      waiting.set(++last, callback);
      return last;
    },
    setInterval: () => 0,
    clearTimeout: (id) => void waiting.delete(id ?? 0),
  };
  const report = createTaskReports(async (...call) => {
    calls.push(call);
    throw new Error('the host refuses');
  }, timers);
  const tick = (): void => {
    for (const [id, callback] of [...waiting]) {
      waiting.delete(id);
      callback();
    }
  };
  return { calls, waiting, tick, report: report('job-1') };
}

const progress = (...args: unknown[]) => ['tasks', 'progress', ['job-1', ...args]];
const log = (...lines: string[]) => ['tasks', 'log', ['job-1', lines]];

describe('the words of a run', () => {
  it('leave at once when it is quiet, then gather', () => {
    const { calls, report, tick, waiting } = open();
    report.log('one');
    expect(calls).toEqual([log('one')]);
    report.log('two');
    report.progress(1, undefined);
    report.log('three');
    report.progress(2, 'newest');
    expect(calls).toHaveLength(1);
    tick();
    expect(calls.slice(1)).toEqual([progress(2, 'newest'), log('two', 'three')]);
    tick();
    expect(waiting.size).toBe(0);
    report.progress(3, undefined);
    expect(calls.slice(3)).toEqual([progress(3)]);
  });

  it('leave when the run ends, and later ones are dropped', () => {
    const { calls, report, waiting } = open();
    report.log('one');
    report.log('two');
    report.progress(100, undefined);
    report.close();
    expect(calls.slice(1)).toEqual([progress(100), log('two')]);
    expect(waiting.size).toBe(0);
    report.log('late');
    report.progress(1, undefined);
    report.close();
    expect(calls).toHaveLength(3);
  });

  it('are dropped and counted when they are too many at once', () => {
    const { calls, report, tick } = open();
    for (let line = 0; line < 501; line++) report.log(`${line}`);
    tick();
    const batches = calls.slice(1).map((call) => (call[2] as [string, string[]])[1]);
    expect(batches.map((lines) => lines.length)).toEqual([100, 100, 1]);
    expect(batches[2]).toEqual(['300 lines were dropped: too many at once.']);
  });

  it('go one by one when the module has used up its timers', () => {
    const { calls, report } = open({ full: true });
    report.log('one');
    report.progress(5, undefined);
    expect(calls).toEqual([log('one'), progress(5)]);
  });
});
