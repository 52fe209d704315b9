import { describe, expect, test } from 'vitest';
import { type Run, RunningJobs } from '../../runtime/tasks/running.ts';

function run(over: Partial<Run> = {}): Run {
  return { module: 'demo', task: 'refresh', jobId: 'one', since: 1, cancel: new AbortController(), ...over };
}

function job() {
  const told: { progress: unknown[]; lines: string[] } = { progress: [], lines: [] };
  return {
    told,
    updateProgress: async (progress: unknown) => void told.progress.push(progress),
    log: async (text: string) => told.lines.push(...text.split('\n')),
  };
}

function running(failures: unknown[] = []) {
  return new RunningJobs((_run, error) => failures.push(error));
}

describe('what a run tells', () => {
  test('reaches the queue at the latest when the run ends, the newest progress only', async () => {
    const jobs = running();
    const queue = job();
    jobs.add(run(), queue);
    jobs.progress('demo', 'one', 10, undefined);
    jobs.progress('demo', 'one', 60, 'more than half');
    jobs.log('demo', 'one', 'a line');
    await jobs.end(run());
    expect(queue.told).toEqual({ progress: [{ percent: 60, note: 'more than half' }], lines: ['a line'] });
  });

  test('by another module is nobody’s business', async () => {
    const jobs = running();
    const queue = job();
    jobs.add(run(), queue);
    jobs.progress('other', 'one', 99, 'forged');
    jobs.log('other', 'one', 'forged');
    await jobs.end(run());
    expect(queue.told).toEqual({ progress: [], lines: [] });
  });

  test('is bounded, and what was dropped is counted', async () => {
    const jobs = running();
    const queue = job();
    jobs.add(run(), queue);
    for (let line = 0; line < 5_000; line++) jobs.log('demo', 'one', 'x'.repeat(10_000));
    await jobs.end(run());
    expect(queue.told.lines).toHaveLength(4);
    expect(queue.told.lines[0]).toHaveLength(2_000);
    expect(queue.told.lines.at(-1)).toBe('… 4997 more lines were dropped');
  });

  test('cannot pass one line for two, nor move the terminal', async () => {
    const jobs = running();
    const queue = job();
    jobs.add(run(), queue);
    jobs.log('demo', 'one', 'one\ntwo\u001b[2J');
    await jobs.end(run());
    expect(queue.told.lines).toEqual(['one', '    two\\u001b[2J']);
  });

  test('is lost when the queue is away, and the run goes on', async () => {
    const failures: unknown[] = [];
    const jobs = running(failures);
    jobs.add(run(), { ...job(), log: () => Promise.reject(new Error('away')) });
    jobs.log('demo', 'one', 'a line');
    await jobs.end(run());
    expect(failures).toEqual([new Error('away')]);
  });

  test('after its end goes nowhere', async () => {
    const jobs = running();
    const queue = job();
    jobs.add(run(), queue);
    await jobs.end(run());
    jobs.log('demo', 'one', 'late');
    expect(jobs.size).toBe(0);
    expect(queue.told.lines).toEqual([]);
  });
});

describe('runs of one task', () => {
  test('are found among those of other tasks and other modules', () => {
    const jobs = running();
    const other = run({ jobId: 'two', since: 2 });
    for (const each of [run(), other, run({ task: 'other' }), run({ module: 'other' })]) jobs.add(each, job());
    expect(jobs.others(run()).map(({ jobId }) => jobId)).toEqual(['two']);
    expect(jobs.has(other)).toBe(true);
    expect(jobs.has(run({ jobId: 'three' }))).toBe(false);
  });

  test('are all asked to stop together', () => {
    const jobs = running();
    const one = run();
    jobs.add(one, job());
    jobs.cancelAll();
    expect(one.cancel.signal.aborted).toBe(true);
  });
});
