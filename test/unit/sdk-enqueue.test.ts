import { EnqueueRequestSchema } from '@plexichat/sdk/protocol/capabilities/tasks';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_TASK_DATA, MAX_TASK_DELAY } from '@plexichat/sdk/protocol/task-limits';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { createTasksClient } from '../../sdk/capabilities/tasks.ts';
import { createFakeHost } from '../../sdk/testing/fake-host.ts';

function open(answer: () => Promise<unknown> = async () => ({ id: 'job-1' })) {
  const calls: unknown[] = [];
  const requests: unknown[] = [];
  const tasks = createTasksClient({
    ...createFakeHost({}).binding,
    call: (capability, method, args) => {
      calls.push([capability, method, args]);
      requests.push(args[0]);
      return answer();
    },
  });
  return { calls, requests, enqueue: tasks.enqueue as (...args: unknown[]) => Promise<{ id: string }> };
}

function nest(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

describe('tasks.enqueue', () => {
  it('sends name, data as JSON text and the delay in milliseconds, and gives the id of the run', async () => {
    const { calls, requests, enqueue } = open();
    expect(await enqueue('send', { a: [1, null], when: new Date(0), gone: undefined }, { delay: 1.5 })).toEqual({
      id: 'job-1',
    });
    expect(calls).toEqual([
      ['tasks', 'enqueue', [{ task: 'send', data: '{"a":[1,null],"when":"1970-01-01T00:00:00.000Z"}', delayMs: 1500 }]],
    ]);
    expect(Value.Check(EnqueueRequestSchema, requests[0])).toBe(true);
  });

  it('sends null for no data, and no delay for none', async () => {
    const { requests, enqueue } = open();
    await enqueue('send');
    await enqueue('send', undefined, {});
    await enqueue('send', null, { delay: undefined });
    expect(requests).toEqual(Array(3).fill({ task: 'send', data: 'null', delayMs: 0 }));
  });

  it('takes the longest data, the deepest, and the longest delay', async () => {
    const { requests, enqueue } = open();
    await enqueue('send', 'x'.repeat(MAX_TASK_DATA - 2), { delay: MAX_TASK_DELAY / 1000 });
    await enqueue('send', nest(60));
    expect(requests.map((request) => Value.Check(EnqueueRequestSchema, request))).toEqual([true, true]);
  });

  const cycle: { a: { list: unknown[] } } = { a: { list: [1] } };
  cycle.a.list.push(cycle);
  it.each([
    ['a BigInt', { items: [{ n: 1n }] }, 'a BigInt at items[0].n, which JSON does not know: use a number or a string.'],
    ['a function', { user: { save() {} } }, 'a function at user.save.'],
    ['a symbol', [Symbol('x')], 'a symbol at [0].'],
    ['a function itself', () => 1, 'a function.'],
    ['NaN', { price: Number.NaN }, 'NaN at price.'],
    ['Infinity', [[Number.POSITIVE_INFINITY]], 'Infinity at [0][0].'],
    ['undefined in a list', [1, undefined], 'undefined at [1], where null can stand.'],
    ['a Map', { by: new Map() }, 'a Map at by.'],
    ['an Error', { cause: new TypeError('x') }, 'an Error at cause.'],
    ['bytes', { raw: new Uint8Array(2) }, 'a Uint8Array at raw.'],
    ['a promise that nobody awaited', { user: Promise.resolve() }, 'a Promise at user.'],
    ['a cycle', cycle, 'a value that contains itself at a.list[1].'],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      'Error: no.',
    ],
    ['a toJSON that gives nothing', { toJSON: () => undefined }, 'its toJSON gives nothing.'],
  ])('refuses data with %s, and says where it is', async (_name, data, message) => {
    const { calls, enqueue } = open();
    await expect(enqueue('send', data)).rejects.toEqual(
      new TypeError(`tasks.enqueue("send"): the data is not JSON: ${message}`),
    );
    expect(calls).toEqual([]);
  });

  it.each([
    [['send', 'x'.repeat(MAX_TASK_DATA - 1)], 'the data has 65537 characters as JSON, at most 65536 are allowed.'],
    [['send', nest(61)], 'the data nests deeper than 60 levels.'],
    [['send', null, { delay: -1 }], 'delay must be a number of seconds from 0 to 2592000 (30 days), found -1.'],
    [['send', null, { delay: 2_592_001 }], 'found 2592001.'],
    [['send', null, { delay: Number.NaN }], 'found NaN.'],
    [['send', null, { delay: '60' }], 'found "60".'],
    [['send', null, { delayMs: 60 }], 'the option "delayMs" does not exist; allowed is delay (seconds).'],
    [['send', null, 60], 'the options must be an object such as { delay: 60 }, found 60.'],
    [['send', null, null], 'the options must be an object such as { delay: 60 }, found null.'],
    [[undefined], 'the name must be that of a method with @moduleTask, found undefined.'],
    [['a b'], 'found "a b".'],
    [['x'.repeat(65)], 'found "xxxx'],
  ])('refuses %j as a TypeError', async (args, message) => {
    const { calls, enqueue } = open();
    await expect(enqueue(...args)).rejects.toSatisfy(
      (error) => error instanceof TypeError && error.message.includes(message),
    );
    expect(calls).toEqual([]);
  });

  it.each(['NOT_FOUND', 'QUOTA_EXCEEDED', 'QUEUE_UNAVAILABLE'] as const)(
    'rejects with the code %s of the host',
    async (code) => {
      const { enqueue } = open(() => Promise.reject(new PlexiError(code, 'why')));
      await expect(enqueue('send')).rejects.toMatchObject({ code, message: 'why' });
    },
  );
});
