/** Calls of the disk when it hangs, and when a module makes too many. */
import { describe, expect, it } from 'vitest';
import { FileLanes } from '../../runtime/capabilities/file-lanes.ts';
import { until } from '../support/until.ts';

describe('a disk that hangs', () => {
  it('costs its module a refusal at the deadline, and the others nothing', async () => {
    const lanes = new FileLanes();
    const hanging = Promise.withResolvers<string>();
    const undone: string[] = [];
    const stuck = lanes.run('slow', {
      run: () => hanging.promise,
      waitMs: 30,
      undo: async (late) => void undone.push(late),
    });
    const behind = Promise.allSettled(
      Array.from({ length: 50 }, () => lanes.run('slow', { run: async () => 'never', waitMs: 30 })),
    );
    expect(await lanes.run('quick', { run: async () => 'done', waitMs: 10_000 })).toBe('done');
    await expect(stuck).rejects.toMatchObject({
      code: 'FILES_UNAVAILABLE',
      message: 'The disk did not answer in time.',
    });
    expect((await behind).every(({ status }) => status === 'rejected')).toBe(true);
    expect(await lanes.run('quick', { run: async () => 'done', waitMs: 10_000 })).toBe('done');
    hanging.resolve('handle');
    await until(() => undone.length === 1);
    expect(await lanes.run('slow', { run: async () => 'back', waitMs: 10_000 })).toBe('back');
  });

  it('never has more than two threads of the host, one for each module', async () => {
    const lanes = new FileLanes();
    let running = 0;
    let most = 0;
    const calls = ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'a'].map((module) =>
      lanes.run(module, {
        run: async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        },
      }),
    );
    await Promise.all(calls);
    expect(most).toBe(2);
  });

  it('takes turns: a module with a thousand calls makes the next one wait for one of them', async () => {
    const lanes = new FileLanes();
    let done = 0;
    const many = Array.from({ length: 1000 }, () =>
      lanes.run('many', {
        run: async () => {
          done += 1;
        },
      }),
    );
    await lanes.run('one', { run: async () => {} });
    expect(done).toBeLessThan(20);
    await Promise.all(many);
  });

  it('gives a module that calls without end a rest', async () => {
    const lanes = new FileLanes();
    await lanes.run('greedy', { run: async () => {}, weight: 6_000 });
    const order: string[] = [];
    const next = lanes.run('greedy', { run: async () => void order.push('greedy') });
    for (let turn = 0; turn < 3; turn++) await lanes.run('modest', { run: async () => void order.push('modest') });
    await next;
    expect(order).toEqual(['modest', 'modest', 'modest', 'greedy']);
  });
});
