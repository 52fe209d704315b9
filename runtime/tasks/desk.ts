/** What operators see of tasks and do to them, over the task room. */

import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { JobSchedulerJson } from 'bullmq';
import type { QueueBackend } from '../queue/backend.ts';
import { tidyJson } from './job-data.ts';
import { type Pause, Pauses } from './pauses.ts';
import type { ModulePlan, TaskPlan } from './plan.ts';
import { queueAway } from './queue-door.ts';
import { JOB_STATES, readRuns, STATES } from './read-runs.ts';
import type { QueueDepth, RunState, TaskDesk, TaskView } from './task-desk.ts';
import type { TaskRoom } from './task-room.ts';
import { viewTask } from './views.ts';
import { within } from './within.ts';

const MAX_SCHEDULES = 1_000;
const ASK_MS = 5_000;

export function createDesk(room: TaskRoom): TaskDesk {
  const ask = <Result>(work: (backend: QueueBackend) => Promise<Result>): Promise<Result> =>
    room.ask(work).catch((error: unknown) => {
      const isAway = error instanceof PlexiError && error.code === 'QUEUE_UNAVAILABLE';
      throw isAway && room.trouble !== undefined ? queueAway(error, room.trouble) : error;
    });
  const viewOne = async (backend: QueueBackend, plan: TaskPlan): Promise<TaskView> => {
    const [view] = await viewModule(room, backend, { module: plan.module, tasks: new Map([[plan.task, plan]]) });
    if (view === undefined) throw new PlexiError('INTERNAL', 'The task cannot be shown.');
    return view;
  };
  return {
    async list() {
      const { backend } = room;
      const views = await Promise.all(room.plans().map((plan) => viewModule(room, backend, plan)));
      return views.flat();
    },
    async runs(module, task, limit) {
      const plan = room.findTask(module, task);
      return ask((backend) => readRuns(backend.queue(plan.queue), plan.task, limit));
    },
    async run(module, task, data, operator) {
      const plan = room.findTask(module, task);
      return room.add(plan, { data: toText(data), origin: 'operator', by: operator.slice(0, 256) }, 0);
    },
    async pause(module, task, operator, reason) {
      const plan = findScheduled(room, module, task);
      const by: Pause = {
        by: 'operator',
        reason: reason === '' ? `paused by ${operator}` : reason,
        at: new Date().toISOString(),
      };
      return ask(async (backend) => {
        await new Pauses(backend.records).pause(module, task, by);
        await backend.queue(plan.queue).removeJobScheduler(task);
        return viewOne(backend, plan);
      });
    },
    async resume(module, task) {
      const plan = room.findTask(module, task);
      return ask(async (backend) => {
        const queue = backend.queue(plan.queue);
        if (await queue.isPaused()) await queue.resume();
        else findScheduled(room, module, task);
        await new Pauses(backend.records).resume(module, task);
        await room.mend(module);
        return viewOne(backend, plan);
      });
    },
    async depths() {
      const { backend } = room;
      const plans = room.plans();
      if (plans.length === 0) return [];
      if (backend === undefined) throw queueAway();
      const depths = plans.map(({ module }) => readDepths(backend, module, room.queuesOf(module)));
      return (await within(ASK_MS, () => Promise.all(depths))).flat();
    },
    queues: () => room.queues(),
    onQueues: (listener) => room.onQueues(listener),
  };
}

function findScheduled(room: TaskRoom, module: string, task: string): TaskPlan {
  const plan = room.findTask(module, task);
  if (plan.schedule !== undefined) return plan;
  throw new PlexiError('INVALID_INPUT', `The task ${task} of ${module} has no schedule that could be paused.`);
}

/** The whole queue stands still, asked-for runs too; its schedules go on and wait in it. */
function pausedOnBoard({ queue }: TaskPlan): Pause {
  return { by: 'operator', reason: `The queue ${queue} was paused on the board.`, at: null };
}

function toText(data: unknown): string {
  try {
    return tidyJson(JSON.stringify(data ?? null));
  } catch (error) {
    throw new PlexiError('INVALID_INPUT', `The data of the run cannot be taken: ${messageOf(error)}.`);
  }
}

async function viewModule(
  room: TaskRoom,
  backend: QueueBackend | undefined,
  { module, tasks }: Pick<ModulePlan, 'module' | 'tasks'>,
): Promise<TaskView[]> {
  const plans = [...tasks.values()];
  const isServed = room.isServed(module);
  const facts = backend === undefined ? undefined : await within(ASK_MS, () => readFacts(backend, module, plans));
  return plans.map((plan) =>
    viewTask(plan, {
      isServed,
      isKnown: facts !== undefined,
      pause: facts?.pausedQueues.has(plan.queue) ? pausedOnBoard(plan) : facts?.pauses.get(plan.task),
      failures: facts?.failures.get(plan.task) ?? 0,
      scheduler: facts?.schedulers.get(`${plan.queue}\n${plan.task}`),
      now: Date.now(),
    }),
  );
}

async function readFacts(backend: QueueBackend, module: string, plans: readonly TaskPlan[]) {
  const pauses = new Pauses(backend.records);
  const schedulers = new Map<string, JobSchedulerJson>();
  const pausedQueues = new Set<string>();
  for (const name of new Set(plans.map(({ queue }) => queue))) {
    if (await backend.queue(name).isPaused()) pausedQueues.add(name);
    for (const scheduler of await backend.queue(name).getJobSchedulers(0, MAX_SCHEDULES, true)) {
      schedulers.set(`${name}\n${scheduler.key}`, scheduler);
    }
  }
  return { pauses: await pauses.of(module), failures: await pauses.failures(module), schedulers, pausedQueues };
}

async function readDepths(backend: QueueBackend, module: string, queues: readonly string[]): Promise<QueueDepth[]> {
  const depths = new Map<RunState, number>();
  for (const name of queues) {
    const counts = await backend.queue(name).getJobCounts(...JOB_STATES);
    for (const state of JOB_STATES) depths.set(STATES[state], (depths.get(STATES[state]) ?? 0) + (counts[state] ?? 0));
  }
  return [...depths].map(([state, count]) => ({ module, state, count }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it is not JSON';
}
