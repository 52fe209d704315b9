import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { superviseTask, type TaskLimits } from '../../runtime/cells/supervise-task.ts';

const HOUR = 60 * 60 * 1000;

interface Supervised {
  readonly ended: string[];
  /** What it settled with; undefined while it runs. */
  readonly outcome: () => unknown;
  /** How often the guest was asked to stop. */
  readonly asked: () => number;
  yieldNow(): void;
  answer(value: unknown): void;
  fall(error: Error): void;
  threadEnds(): void;
}

function supervise(limits: Partial<TaskLimits> = {}): Supervised {
  const answer = Promise.withResolvers<unknown>();
  const thread = Promise.withResolvers<void>();
  const ended: string[] = [];
  const questions: (() => void)[] = [];
  let outcome: unknown;
  superviseTask(
    {
      name: 'refresh',
      answer: answer.promise,
      threadEnded: thread.promise,
      askToStop: (onYield) => questions.push(onYield),
      endThread: (why) => ended.push(why),
    },
    { timeoutMs: 1_000, graceMs: 500, signal: new AbortController().signal, ...limits },
  ).then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  return {
    ended,
    outcome: () => outcome,
    asked: () => questions.length,
    yieldNow: () => questions.at(-1)?.(),
    answer: answer.resolve,
    fall: answer.reject,
    threadEnds: () => thread.resolve(),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const turn = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

describe('the supervision of a task', () => {
  it('passes on what the guest answers in time, and leaves no timer', async () => {
    const task = supervise();
    await turn(999);
    task.answer('fine');
    await turn();
    expect(task.outcome()).toEqual({ value: 'fine' });
    expect(task.asked()).toBe(0);
  });

  it('asks at the deadline and not before, be it a day away', async () => {
    const task = supervise({ timeoutMs: 24 * HOUR });
    await turn(24 * HOUR - 1);
    expect(task.asked()).toBe(0);
    await turn(1);
    expect(task.asked()).toBe(1);
    task.answer('late');
    await turn();
    expect(task.outcome()).toMatchObject({ code: 'TASK_TIMEOUT', message: expect.stringContaining('86400 s') });
  });

  it('does not ask at once for a deadline that no timer reaches', async () => {
    const task = supervise({ timeoutMs: 2 ** 32 });
    await turn(HOUR);
    expect(task.asked()).toBe(0);
    task.answer('fine');
    await turn();
  });

  it('ends the thread after the grace once it has shown that it yields, and is silent until the thread is gone', async () => {
    const task = supervise();
    await turn(1_000);
    task.yieldNow();
    await turn(499);
    expect(task.ended).toEqual([]);
    await turn(1);
    expect(task.asked()).toBe(2);
    expect(task.ended).toEqual([]);
    task.yieldNow();
    expect(task.ended).toEqual(['task refresh did not stop 0.5 s after its deadline; its thread was ended']);
    task.fall(new Error('It was ended.'));
    await turn(10_000);
    expect(task.outcome()).toBeUndefined();
    task.threadEnds();
    await turn();
    expect(task.outcome()).toMatchObject({ code: 'TASK_TIMEOUT' });
  });

  it('lets a handler be that settles while its thread is asked for the last time', async () => {
    const task = supervise();
    await turn(1_500);
    expect(task.asked()).toBe(2);
    task.answer('at last');
    await turn();
    expect(task.ended).toEqual([]);
    expect(task.outcome()).toMatchObject({
      code: 'TASK_TIMEOUT',
      message: expect.stringContaining('stopped by itself'),
    });
  });

  it('is silent until the thread is gone when it falls before the deadline, and then says what it fell of', async () => {
    const task = supervise();
    const fall = new Error('Its cell ended.');
    task.fall(fall);
    await turn(5_000);
    expect(task.outcome()).toBeUndefined();
    expect(task.asked()).toBe(0);
    task.threadEnds();
    await turn();
    expect(task.outcome()).toBe(fall);
  });

  it('goes by what came first, the deadline or the call', async () => {
    const abort = new AbortController();
    const late = supervise({ signal: abort.signal });
    const early = supervise({ signal: abort.signal, timeoutMs: 5_000 });
    await turn(1_000);
    abort.abort();
    expect([late.asked(), early.asked()]).toEqual([1, 1]);
    late.answer(1);
    early.answer(1);
    await turn();
    expect(late.outcome()).toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(early.outcome()).toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('asks at once when the run was called off before', async () => {
    const task = supervise({ signal: AbortSignal.abort() });
    expect(task.asked()).toBe(1);
    task.answer(1);
    await turn();
    expect(task.outcome()).toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});
