import { MAX_TASK_DATA } from '@plexichat/sdk/protocol/task-limits';
import { describe, expect, it, vi } from 'vitest';
import { type CapabilityContext, createCapabilityTable } from '../../runtime/capabilities/capability.ts';
import { createTasksCapability, type TaskPort } from '../../runtime/capabilities/tasks.ts';
import { PlexiError } from '../../sdk/protocol/errors.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

type Calls = Record<keyof TaskPort, unknown[][]>;

function open(port: Partial<TaskPort> = {}) {
  const calls: Calls = { enqueue: [], progress: [], log: [] };
  const context = { module: 'demo' } as CapabilityContext;
  const methods = createTasksCapability({
    enqueue: async (...args) => {
      calls.enqueue.push(args);
      return { id: 'demo:1', secret: 'of the host' } as { id: string };
    },
    progress: (...args) => void calls.progress.push(args),
    log: (...args) => void calls.log.push(args),
    ...port,
  })(context);
  const call = async (method: keyof TaskPort, ...args: unknown[]): Promise<unknown> => methods[method]?.(...args);
  const data = async (text: unknown): Promise<unknown> => {
    await call('enqueue', { task: 'run', data: text, delayMs: 0 });
    return calls.enqueue[0]?.[2];
  };
  return { calls, call, data };
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('tasks.enqueue of the host', () => {
  it('passes on whose task it is, what and when, and answers nothing but the id', async () => {
    const { calls, call } = open();
    expect(await call('enqueue', { task: 'run', data: '{"a":1}', delayMs: 5 })).toEqual({ id: 'demo:1' });
    expect(calls.enqueue).toEqual([['demo', 'run', '{"a":1}', 5]]);
  });

  it('writes the data anew, never as the guest wrote it', async () => {
    expect(await open().data(' { "a" : 1e2, "a":2,\n"b":"\\u0041\ud800" } ')).toBe('{"a":2,"b":"A\\ud800"}');
    expect(await open().data('{"__proto__":{"x":1},"constructor":null}')).toBe(
      '{"__proto__":{"x":1},"constructor":null}',
    );
    expect({}).not.toHaveProperty('x');
    expect(await open().data('"\\u0000"')).toBe('"\\u0000"');
    expect(await open().data(nested(60))).toBe(nested(60));
  });

  it.each([
    ['is no JSON', '{', 'the data is not valid JSON'],
    ['has code in it', '{"a":process}', 'the data is not valid JSON'],
    ['has a raw NUL', '"\0"', 'the data is not valid JSON'],
    ['nests too deep', nested(61), 'the data nests deeper than 60 levels'],
    ['nests as deep as it can', nested(MAX_TASK_DATA / 2), 'the data nests deeper than 60 levels'],
    [
      'grows when numbers are written out',
      `[${Array(13_000).fill('1e20').join(',')}]`,
      'characters as JSON, at most 65536',
    ],
    [
      'grows when surrogates are written out',
      `"${'\ud800'.repeat(20_000)}"`,
      'has 120002 characters as JSON, at most 65536',
    ],
    ['is too long', `"${'x'.repeat(MAX_TASK_DATA)}"`, 'tasks.enqueue takes { task, data, delayMs }'],
    ['is empty', '', 'tasks.enqueue takes'],
    ['is no text', { toString: 'x' }, 'tasks.enqueue takes'],
  ])('refuses data that %s', async (_name, text, message) => {
    const { calls, data } = open();
    await expect(data(text)).rejects.toSatisfy(
      (error) => error instanceof PlexiError && error.code === 'INVALID_CALL' && error.message.includes(message),
    );
    expect(calls.enqueue).toEqual([]);
  });

  it.each([
    [[]],
    [[null]],
    [['run', 'null', 0]],
    [[{ task: 'run', data: 'null', delayMs: 0 }, 'more']],
    [[{ task: 'run', data: 'null', delayMs: 0, module: 'other' }]],
    [[JSON.parse('{"task":"run","data":"null","delayMs":0,"__proto__":{}}')]],
    [[{ task: 'run', data: 'null' }]],
    [[{ task: 'run', data: 'null', delayMs: -1 }]],
    [[{ task: 'run', data: 'null', delayMs: 0.5 }]],
    [[{ task: 'run', data: 'null', delayMs: 2_592_000_001 }]],
    [[{ task: 'run', data: 'null', delayMs: '5' }]],
    [[{ task: 'other:run', data: 'null', delayMs: 0 }]],
    [[{ task: '../run', data: 'null', delayMs: 0 }]],
    [[{ task: 'run\n', data: 'null', delayMs: 0 }]],
    [[{ task: 'x'.repeat(65), data: 'null', delayMs: 0 }]],
    [[{ task: ['run'], data: 'null', delayMs: 0 }]],
  ])('refuses %j with what it takes', async (args) => {
    const { calls, call } = open();
    await expect(call('enqueue', ...args)).rejects.toMatchObject({
      code: 'INVALID_CALL',
      message:
        'tasks.enqueue takes { task, data, delayMs }: the name of a task, JSON text of at most 65536 characters, whole milliseconds from 0 to 2592000000.',
    });
    expect(calls.enqueue).toEqual([]);
  });

  it.each(['constructor', '__proto__', 'toString'])(
    'leaves it to the port to know that there is no task %s',
    async (task) => {
      const { call } = open({ enqueue: () => Promise.reject(new PlexiError('NOT_FOUND', `no task ${task}`)) });
      await expect(call('enqueue', { task, data: 'null', delayMs: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );
});

describe('what a run reports to the host', () => {
  it('is progress and lines, each under the module that calls', async () => {
    const { calls, call } = open();
    await call('progress', 'demo:1', 0);
    await call('progress', 'demo:1', 99.5, 'nearly');
    await call('log', 'demo:1', ['one', 'two']);
    expect(calls.progress).toEqual([
      ['demo', 'demo:1', 0, undefined],
      ['demo', 'demo:1', 99.5, 'nearly'],
    ]);
    expect(calls.log).toEqual([
      ['demo', 'demo:1', 'one'],
      ['demo', 'demo:1', 'two'],
    ]);
  });

  it('has nothing that a database refuses: no NUL, no half of a pair', async () => {
    const { calls, call } = open();
    await call('progress', 'demo:1', 1, 'a\0b\udc00');
    await call('log', 'demo:1', ['\ud800', '\0', '😀']);
    expect(calls.progress[0]?.[3]).toBe('a\ufffdb\ufffd');
    expect(calls.log.map((args) => args[2])).toEqual(['\ufffd', '\ufffd', '😀']);
  });

  const badIds: unknown[] = [
    undefined,
    null,
    5,
    {},
    [],
    ['demo:1'],
    { toString: 'demo:1' },
    '',
    'x'.repeat(201),
    'a b',
    'a\0',
    'a\n',
    'ä',
    '\ud800',
  ];
  it.each(badIds)('is refused for a run %j', async (jobId) => {
    const { calls, call } = open();
    await expect(call('progress', jobId, 5)).rejects.toMatchObject({ code: 'INVALID_CALL' });
    await expect(call('log', jobId, ['x'])).rejects.toMatchObject({ code: 'INVALID_CALL' });
    expect([calls.progress, calls.log]).toEqual([[], []]);
  });

  it.each([
    ['progress', []],
    ['progress', ['demo:1']],
    ['progress', ['demo:1', -1]],
    ['progress', ['demo:1', 100.1]],
    ['progress', ['demo:1', null]],
    ['progress', ['demo:1', Number.NaN]],
    ['progress', ['demo:1', '5']],
    ['progress', ['demo:1', 5, null]],
    ['progress', ['demo:1', 5, 'x'.repeat(501)]],
    ['progress', ['demo:1', 5, 'x', 'more']],
    ['log', ['demo:1']],
    ['log', ['demo:1', 'a line']],
    ['log', ['demo:1', []]],
    ['log', ['demo:1', [5]]],
    ['log', ['demo:1', ['x'.repeat(2001)]]],
    ['log', ['demo:1', Array(101).fill('x')]],
    ['log', ['demo:1', { 0: 'x', length: 1 }]],
  ] as const)('is refused as %s with %j, which says what is allowed', async (method, args) => {
    const { calls, call } = open();
    await expect(call(method, ...args)).rejects.toMatchObject({
      code: 'INVALID_CALL',
      message: expect.stringContaining(`tasks.${method} takes the id of a run`),
    });
    expect(calls[method]).toEqual([]);
  });

  it('is bounded: lines over 500 a second are dropped and counted, progress is refused', async () => {
    vi.useFakeTimers({ toFake: ['performance'], now: 10_000 });
    try {
      const { calls, call } = open();
      for (let batch = 0; batch < 7; batch++) await call('log', 'demo:1', Array(100).fill('x'));
      for (let step = 0; step < 500; step++) await call('progress', 'demo:1', 5);
      await expect(call('progress', 'demo:1', 5)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      expect([calls.log.length, calls.progress.length]).toEqual([500, 500]);
      vi.advanceTimersByTime(1_000);
      await call('log', 'demo:1', ['later']);
      expect(calls.log.slice(500).map((args) => args[2])).toEqual([
        '200 lines of the module were dropped: more than 500 a second.',
        'later',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('tasks behind the bridge', () => {
  it('answers a guest with a code and a sentence, whatever the port throws', async () => {
    const failures: unknown[] = [];
    const capability = createTasksCapability({
      enqueue: () => Promise.reject(new Error('redis://user:secret@10.0.0.1 is gone')),
      progress: () => {
        throw new Error('secret');
      },
      log: () => {},
    });
    const context = { module: 'demo' } as CapabilityContext;
    const quota = { run: (run: () => Promise<unknown>) => run() } as never;
    const table = createCapabilityTable({ tasks: capability }, context, quota, (call, error) =>
      failures.push([call, error]),
    );
    const guest = scriptGuest({ calls: table });
    const raw = (value: unknown) => ({ type: 'RAW', value });
    guest.say(
      { id: '1', type: 'APPLY', path: ['tasks', 'enqueue'], argumentList: [raw({ task: 'a', data: '1', delayMs: 0 })] },
      { id: '2', type: 'APPLY', path: ['tasks', 'progress'], argumentList: [raw('x'), raw(1)] },
      { id: '3', type: 'APPLY', path: ['tasks', 'constructor'], argumentList: [] },
    );
    const failed = { ok: false, code: 'INTERNAL' };
    expect(await guest.hear(({ id }) => id === '1')).toMatchObject({
      value: { ...failed, message: 'The host failed at tasks.enqueue.' },
    });
    expect(await guest.hear(({ id }) => id === '2')).toMatchObject({
      value: { ...failed, message: 'The host failed at tasks.progress.' },
    });
    expect(guest.violations).toEqual(['unknown call "tasks"."constructor"']);
    expect(failures).toHaveLength(2);
    expect(JSON.stringify(guest.sent)).not.toContain('secret');
  });
});
