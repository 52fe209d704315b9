import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deskHost } from '../support/desk-host.ts';
import { runView, taskView } from '../support/fake-desk.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { askStranger, sends, stranger } from '../support/stranger.ts';

withoutPlexiVariables();
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-05-01T12:00:10.000Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('plexi tasks list', () => {
  it('finds the host of the data folder by itself, and shows an aligned table', async () => {
    const { data, desk } = await deskHost();
    desk.tasks = [
      taskView({ next_at: '2026-05-01T12:04:30.000Z' }),
      taskView({ module: 'cleanup', task: 'sweep', state: 'on_demand', schedule: null, timezone: null, next_at: null }),
    ];
    const { code, output, errors } = await plexi('tasks', 'list', '--data', data);
    expect([code, errors]).toEqual([0, '']);
    const [head = '', first = '', second = ''] = output.split('\n');
    expect(head).toMatch(/^MODULE {3}TASK {5}STATE {6}SCHEDULE {9}NEXT RUN$/);
    expect(first).toMatch(/^weather {2}refresh {2}scheduled {2}0 \*\/6 \* \* \* UTC {2}in 4 min \(\d\d:04\)$/);
    expect(second).toMatch(/^cleanup {2}sweep {4}on demand {2}- +-$/);
  });

  it('shows who paused a task, since when and why, and fits 100 columns', async () => {
    const { data, desk } = await deskHost();
    const reason = `5 runs failed in a row; the last one: ${'connect ETIMEDOUT 192.0.2.1:443 '.repeat(6)}${'x'.repeat(150)}`;
    desk.tasks = [
      taskView({
        module: 'm'.repeat(64),
        task: 't'.repeat(64),
        schedule: '0,5,10,15,20,25,30,35,40,45,50,55 0-6,12-18 1-7 JAN,FEB,MAR MON-FRI',
        state: 'paused',
        next_at: null,
        paused: { by: 'failures', reason, at: '2026-05-01T09:00:00.000Z' },
        failures_in_a_row: 5,
      }),
    ];
    const { output } = await plexi('tasks', 'list', '--data', data);
    expect(longest(output)).toBeLessThanOrEqual(100);
    expect(output.replace(/\s+/g, ' ')).toContain('paused itself 3 h ago');
    expect(output).toContain('5 runs failed in a row');
    expect(output).toContain('…');
  });

  it('shows failures in a row before they pause the task', async () => {
    const { data, desk } = await deskHost();
    desk.tasks = [taskView({ failures_in_a_row: 3 })];
    expect((await plexi('tasks', 'list', '--data', data)).output).toContain('\n    failed in a row: 3\n');
  });

  it('--module asks for one module, --json prints exactly what the API answers', async () => {
    const { data, desk } = await deskHost();
    const { code, output } = await plexi('tasks', 'list', '--module', 'cleanup', '--json', '--data', data);
    expect(code).toBe(0);
    expect(output).toBe(`${JSON.stringify({ tasks: [desk.tasks[1]] })}\n`);
  });

  it('says so when there are none', async () => {
    const { data, desk } = await deskHost();
    expect((await plexi('tasks', 'list', '--module', 'nobody', '--data', data)).output).toContain('nobody');
    desk.tasks = [];
    expect((await plexi('tasks', 'list', '--data', data)).output).toBe('No module of this host has tasks.\n');
  });

  it('a module name that can be none ends with 1 and the words of the host', async () => {
    const { data } = await deskHost();
    const { code, output, errors } = await plexi('tasks', 'list', '--module', '../x&y', '--data', data);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toContain('(INVALID_INPUT)');
    expect(errors).toContain('/query/module');
  });
});

describe('plexi tasks runs', () => {
  it('shows state, origin, attempt, when, how long, and why a run failed', async () => {
    const { data, desk } = await deskHost();
    desk.jobs = [
      runView({ id: '45', state: 'delayed', due_at: '2026-05-01T12:01:10.000Z', started_at: null, finished_at: null }),
      runView({ id: '44', state: 'active', finished_at: null, progress: 40, note: 'half way', interruptions: 1 }),
      runView({
        id: '43',
        state: 'failed',
        attempt: 4,
        error: { code: 'TASK_TIMEOUT', message: 'The task did not end within 300 s.' },
      }),
      runView({ skipped: 'overlap', started_at: null }),
      runView(),
    ];
    const { code, output } = await plexi('tasks', 'runs', 'weather', 'refresh', '--data', data);
    expect(code).toBe(0);
    expect(output).toMatch(/^45 +delayed +schedule +1\/4 +due in 1 min \(\d\d:01\) +-$/m);
    expect(output).toMatch(/^44 +active +schedule +1\/4 +started 9 s ago \(\d\d:00\) +9\.5 s$/m);
    expect(output).toContain('    progress: 40 % half way\n');
    expect(output).toContain('    interrupted: 1 ×');
    expect(output).toMatch(/^43 +failed +schedule +4\/4 +ended 8 s ago \(\d\d:00\) +1\.5 s$/m);
    expect(output).toContain('    TASK_TIMEOUT: The task did not end within 300 s.\n');
    expect(output).toMatch(/^42 +skipped/m);
    expect(output).toContain('    left out: overlap\n');
    expect(output).toContain('    result: {"removed":3}\n');
    expect(longest(output)).toBeLessThanOrEqual(100);
  });

  it('--limit is what is asked for; 20 without it', async () => {
    const { data, desk } = await deskHost();
    await plexi('tasks', 'runs', 'weather', 'refresh', '--limit', '7', '--data', data);
    await plexi('tasks', 'runs', 'weather', 'refresh', '--data', data);
    expect(desk.calls.map((call) => call[3])).toEqual([7, 20]);
  });

  it('of a task that is not there ends with 1 and says which there are', async () => {
    const { data } = await deskHost();
    const { code, output, errors } = await plexi('tasks', 'runs', 'weather', 'nope', '--data', data);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toBe('No task is called weather nope; there are weather refresh, cleanup sweep. (NOT_FOUND)\n');
  });

  it.each([
    ['..', 'modules'],
    ['weather', '..'],
    ['a/b', 'c'],
    ['a%2fb', 'c'],
    ['__proto__', 'x'],
    ['weather', 're\u001b[2Jfresh'],
    ['', ''],
  ])('%j %j is no path to anywhere else', async (module, task) => {
    const at = await stranger(sends({ runs: [] }));
    const { code, errors } = await askStranger(at, 'runs', module, task);
    expect(code).toBe(1);
    expect(errors).toContain('no task can have that name');
    expect(errors).not.toContain('\u001b');
    expect(at.requests).toEqual([]);
  });
});

describe('plexi tasks run, pause, resume', () => {
  it('run sends the JSON of --input and says where to look', async () => {
    const { data, desk } = await deskHost();
    const args = ['tasks', 'run', 'weather', 'refresh', '--data', data];
    const { code, output } = await plexi(...args, '--input', '{"city":"Oslo"}');
    expect(code).toBe(0);
    expect(output).toContain('Run 42');
    expect(output).toContain('plexi tasks runs weather refresh');
    expect((await plexi(...args, '--json')).output).toBe('{"id":"42"}\n');
    expect(desk.calls.map((call) => call[3])).toEqual([{ city: 'Oslo' }, null]);
  });

  it.each([
    ['{city: Oslo}', /--input.*JSON/],
    ['', /--input.*JSON/],
    [JSON.stringify('x'.repeat(70_000)), /--input.*65536/],
  ])('run refuses an --input before it asks anybody', async (input, words) => {
    const { data, desk } = await deskHost();
    const { code, errors } = await plexi('tasks', 'run', 'weather', 'refresh', '--data', data, '--input', input);
    expect(errors).toMatch(words);
    expect([code, desk.calls]).toEqual([1, []]);
  });

  it('pause and resume show the task as it is now', async () => {
    const { data, desk } = await deskHost();
    const paused = await plexi('tasks', 'pause', 'weather', 'refresh', '--reason', 'until noon', '--data', data);
    expect(paused.code).toBe(0);
    expect(paused.output).toMatch(/^weather +refresh +paused/m);
    expect(paused.output).toMatch(/^ {4}paused by an operator 10 s ago \(\d\d:00\): until noon$/m);
    const resumed = await plexi('tasks', 'resume', 'weather', 'refresh', '--json', '--data', data);
    expect(JSON.parse(resumed.output)).toEqual(desk.tasks[0]);
    expect(desk.calls.map(([verb]) => verb)).toEqual(['pause', 'resume']);
  });

  it('the operator is the user of this machine', async () => {
    const { data, desk } = await deskHost();
    await plexi('tasks', 'resume', 'weather', 'refresh', '--data', data);
    expect(desk.calls[0]?.[3]).toMatch(/^cli:[\w.@-]+$/);
  });

  it('a reason that is too long ends with 1 and names what is wrong', async () => {
    const { data } = await deskHost();
    const args = ['tasks', 'pause', 'weather', 'refresh', '--data', data];
    const { code, errors } = await plexi(...args, '--reason', 'x'.repeat(301));
    expect(code).toBe(1);
    expect(errors).toMatch(/\(INVALID_INPUT\)\n {4}\/body\/reason .*300/);
  });

  it('a queue that is away ends with 3', async () => {
    const { data, desk } = await deskHost();
    desk.trouble = () => {
      throw new PlexiError('QUEUE_UNAVAILABLE', 'Redis cannot be reached.');
    };
    const { code, output, errors } = await plexi('tasks', 'run', 'weather', 'refresh', '--data', data);
    expect([code, output]).toEqual([3, '']);
    expect(errors).toContain('Redis cannot be reached. (QUEUE_UNAVAILABLE)');
    expect(errors).not.toMatch(/\n\s+at /);
  });
});
