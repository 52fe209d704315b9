import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StopQuestions } from '../../runtime/cells/stop-questions.ts';
import { scriptGuest, type WireMessage } from '../support/scripted-guest.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const turn = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

/** A thread whose guest answers, or does not, as the test says. */
function ask({ taskRuns = false } = {}) {
  const guest = scriptGuest();
  const stuck: string[] = [];
  let left = 0;
  const at = { taskRuns, callersUntil: 0, alive: true };
  const questions = new StopQuestions({
    session: guest.session,
    onStuck: (detail) => stuck.push(detail),
    isTasksTurn: () => at.taskRuns,
    callersUntil: () => at.callersUntil,
    isAlive: () => at.alive,
  });
  const isQuestion = ({ path }: WireMessage): boolean => path?.[0] === 'cancel';
  let answered = 0;
  return {
    at,
    stuck,
    questions,
    /** Requests whose callers have been answered at their deadline. */
    leave(count: number, why: 'deadline' | 'gone' = 'deadline', deadline = Date.now()): string[] {
      return Array.from({ length: count }, () => {
        const call = guest.session.callText('invoke', '{}', '{}');
        call.answer.catch(() => {});
        guest.session.settle(call.id, new Error('late'));
        left += 1;
        questions.abandon(call.id, left, why, deadline);
        return call.id;
      });
    },
    /** Takes the questions that have come, as a thread does that yields. */
    async yieldNow(): Promise<void> {
      await turn();
      const open = guest.sent.filter(isQuestion).slice(answered);
      answered += open.length;
      for (const { id } of open) guest.say({ id, type: 'RAW', value: null });
      await turn();
    },
    close: () => guest.session.close(new Error('It was ended.')),
    answer: (ids: readonly string[]) => guest.say(...ids.map((id) => ({ id, type: 'RAW', value: null }))),
  };
}

describe('a thread that does not yield', () => {
  it('is ended a second after the deadline of a request when no task runs in it', async () => {
    const thread = ask();
    thread.leave(1);
    await turn(900);
    expect(thread.stuck).toEqual([]);
    await turn(200);
    expect(thread.stuck).toEqual(['did not yield when a request in it was over']);
  });

  it('has ten seconds while a task may be what computes in it, however long that may run, and no more', async () => {
    const thread = ask({ taskRuns: true });
    thread.leave(1);
    await turn(9_900);
    expect(thread.stuck).toEqual([]);
    await turn(1_200);
    expect(thread.stuck).toEqual([
      expect.stringContaining('did not yield within 10 s after the deadline of a request'),
    ]);
    expect(thread.stuck[0]).toContain('while a task ran in it');
    await turn(60_000);
    expect(thread.stuck).toHaveLength(1);
  });

  it('has no more than its second from the end of the task on', async () => {
    const thread = ask({ taskRuns: true });
    thread.leave(1);
    await turn(3_000);
    thread.at.taskRuns = false;
    await turn(1_100);
    expect(thread.stuck).toHaveLength(1);
  });

  it('has its ten seconds from the deadline on, not from when a client chose to go away', async () => {
    const thread = ask({ taskRuns: true });
    thread.leave(1, 'gone', Date.now() + 20_000);
    await turn(29_000);
    expect(thread.stuck).toEqual([]);
    await turn(2_000);
    expect(thread.stuck).toHaveLength(1);
  });

  it('has until the deadline when a client went away before it', async () => {
    const thread = ask();
    thread.leave(1, 'gone', Date.now() + 20_000);
    await turn(19_900);
    expect(thread.stuck).toEqual([]);
    await turn(1_200);
    expect(thread.stuck).toHaveLength(1);
  });

  it('is not ended when it yields in the last moment', async () => {
    const thread = ask({ taskRuns: true });
    const calls = thread.leave(1);
    await turn(9_900);
    await thread.yieldNow();
    thread.answer(calls);
    await turn(60_000);
    expect(thread.stuck).toEqual([]);
  });

  it('is ended a second after the end of a task’s time, whatever else runs in it', async () => {
    const thread = ask({ taskRuns: true });
    thread.questions.endTask(1, 'refresh', () => {});
    await turn(1_100);
    expect(thread.stuck).toEqual(['task refresh did not yield when it was asked to stop']);
  });
});

describe('handlers that go on after their deadline in a thread that yields', () => {
  it.each([true, false])('are too many at 65, whether a task runs beside them or not: %s', async (taskRuns) => {
    const thread = ask({ taskRuns });
    thread.leave(64);
    await thread.yieldNow();
    await turn(2_000);
    expect(thread.stuck).toEqual([]);
    thread.leave(1);
    await thread.yieldNow();
    await turn(2_000);
    expect(thread.stuck).toEqual(['left 65 invocations unfinished that nobody waits for']);
  });

  it.each([true, false])('may not loop then, whether a task runs beside them or not: %s', async (taskRuns) => {
    const thread = ask({ taskRuns });
    thread.leave(1);
    await thread.yieldNow();
    await turn(1_500);
    await thread.yieldNow();
    expect(thread.stuck).toEqual([]);
    // From here on it answers nothing.
    await turn(5_000 + 9_500);
    expect(thread.stuck).toEqual([]);
    await turn(2_000);
    expect(thread.stuck).toEqual([expect.stringContaining('did not yield')]);
  });

  it('do not shorten the time of those who are waited for', async () => {
    const thread = ask();
    thread.leave(1);
    await thread.yieldNow();
    thread.at.callersUntil = Date.now() + 60_000;
    await turn(59_000);
    expect(thread.stuck).toEqual([]);
    await turn(3_000);
    expect(thread.stuck).toHaveLength(1);
  });

  it('are not asked for when the thread has ended meanwhile', async () => {
    const thread = ask();
    thread.leave(1);
    thread.leave(1, 'gone', Date.now() + 3_000);
    await thread.yieldNow();
    thread.at.alive = false;
    thread.close();
    await turn(60_000);
    expect(thread.stuck).toEqual([]);
  });

  it('are looked after only as long as there are any', async () => {
    const thread = ask();
    const calls = thread.leave(1);
    await thread.yieldNow();
    await turn(1_500);
    thread.answer(calls);
    await thread.yieldNow();
    await turn(120_000);
    expect(thread.stuck).toEqual([]);
  });

  it('whose clients went away are counted from their deadline on', async () => {
    const thread = ask();
    thread.leave(65, 'gone', Date.now() + 20_000);
    await thread.yieldNow();
    await turn(19_000);
    expect(thread.stuck).toEqual([]);
    await turn(3_000);
    expect(thread.stuck).toEqual(['left 65 invocations unfinished that nobody waits for']);
  });

  it('are not counted when all they waited for was their turn', async () => {
    const thread = ask({ taskRuns: true });
    const calls = thread.leave(200);
    await turn(5_000);
    await thread.yieldNow();
    thread.answer(calls);
    await turn(60_000);
    expect(thread.stuck).toEqual([]);
  });
});
