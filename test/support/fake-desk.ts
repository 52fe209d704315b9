/** A TaskDesk without a queue: answers what a test puts in, and remembers what it was asked. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { RunView, TaskDesk, TaskView } from '../../runtime/tasks/task-desk.ts';

export interface FakeDesk extends TaskDesk {
  readonly calls: unknown[][];
  tasks: TaskView[];
  jobs: RunView[];
  /** Asked before every answer; throws what the desk should throw. */
  trouble: () => void | Promise<void>;
}

export function fakeDesk(): FakeDesk {
  const calls: unknown[][] = [];
  const find = async (module: string, task: string): Promise<TaskView> => {
    await desk.trouble();
    const found = desk.tasks.find((view) => view.module === module && view.task === task);
    if (found !== undefined) return found;
    const known = desk.tasks.map((view) => `${view.module} ${view.task}`).join(', ');
    throw new PlexiError('NOT_FOUND', `No task is called ${module} ${task}; there are ${known}.`);
  };
  const desk: FakeDesk = {
    calls,
    tasks: [taskView(), taskView({ module: 'cleanup', task: 'sweep', state: 'on_demand', schedule: null })],
    jobs: [runView()],
    trouble: () => {},
    async list() {
      await desk.trouble();
      return desk.tasks;
    },
    async runs(...args) {
      calls.push(['runs', ...args]);
      await find(args[0], args[1]);
      return desk.jobs.slice(0, args[2]);
    },
    async run(...args) {
      calls.push(['run', ...args]);
      await find(args[0], args[1]);
      return { id: '42' };
    },
    async pause(...args) {
      calls.push(['pause', ...args]);
      const paused = { by: 'operator', reason: args[3], at: '2026-05-01T12:00:00.000Z' } as const;
      return { ...(await find(args[0], args[1])), state: 'paused', next_at: null, paused };
    },
    async resume(...args) {
      calls.push(['resume', ...args]);
      return find(args[0], args[1]);
    },
    depths: async () => [],
    queues: () => [],
    onQueues: () => {},
  };
  return desk;
}

export function taskView(changes: Partial<TaskView> = {}): TaskView {
  return {
    module: 'weather',
    task: 'refresh',
    state: 'scheduled',
    schedule: '0 */6 * * *',
    timezone: 'UTC',
    next_at: '2026-05-01T18:00:00.000Z',
    paused: null,
    failures_in_a_row: 0,
    timeout_seconds: 300,
    retry_count: 3,
    priority: 'normal',
    overlap: 'skip',
    missed: 'skip',
    ...changes,
  };
}

export function runView(changes: Partial<RunView> = {}): RunView {
  return {
    id: '42',
    state: 'completed',
    origin: 'schedule',
    slot: '2026-05-01T12:00:00.000Z',
    attempt: 1,
    attempts: 4,
    interruptions: 0,
    created_at: '2026-05-01T12:00:00.000Z',
    started_at: '2026-05-01T12:00:00.500Z',
    finished_at: '2026-05-01T12:00:02.000Z',
    due_at: null,
    progress: 100,
    note: null,
    result: { removed: 3 },
    skipped: null,
    error: null,
    logs: [],
    ...changes,
  };
}
