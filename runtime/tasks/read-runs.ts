/**
 * The newest runs of a task. Tasks of one module share a queue and a module chooses what its jobs hold, so they are
 * looked through in small pages, of each only what is shown is kept, and the log lines have a budget.
 */
import type { Job, Queue } from 'bullmq';
import type { RunState, RunView } from './task-desk.ts';
import { viewRun } from './views.ts';

/** Job states of the queue, newest work first, and what operators call them. */
export const STATES = {
  active: 'active',
  waiting: 'waiting',
  prioritized: 'waiting',
  delayed: 'delayed',
  failed: 'failed',
  completed: 'completed',
} as const satisfies Record<string, RunState>;
export type JobState = keyof typeof STATES;
export const JOB_STATES = Object.keys(STATES) as JobState[];

const PAGE = 25;
/** So many jobs of each state are looked through for those of one task. */
const WINDOW = 500;
/** Characters of log lines in one answer. */
const LOG_BUDGET = 200_000;
const MAX_LOG_ENTRIES = 20;

export async function readRuns(queue: Queue, task: string, limit: number): Promise<RunView[]> {
  const found: { view: RunView; at: number }[] = [];
  for (const state of JOB_STATES) found.push(...(await readState(queue, task, state, limit)));
  found.sort((one, other) => other.at - one.at);
  const shown = found.slice(0, limit).map(({ view }) => view);
  let budget = LOG_BUDGET;
  const runs: RunView[] = [];
  // One after the other: what a module wrote is not held in memory for all of them at once.
  for (const view of shown) {
    const lines = budget > 0 ? await readLog(queue, view.id) : ['… left out: the logs of newer runs fill this answer'];
    budget -= lines.reduce((sum, line) => sum + line.length, 0);
    runs.push({ ...view, logs: lines });
  }
  return runs;
}

async function readState(queue: Queue, task: string, state: JobState, limit: number) {
  const found: { view: RunView; at: number }[] = [];
  for (let start = 0; start < WINDOW && found.length < limit; start += PAGE) {
    const jobs: (Job | undefined)[] = await queue.getJobs([state], start, start + PAGE - 1, false);
    for (const job of jobs) {
      if (job?.name !== task) continue;
      found.push({ view: viewRun(job, STATES[state]), at: job.processedOn ?? job.timestamp });
    }
    if (jobs.length < PAGE) break;
  }
  return found;
}

async function readLog(queue: Queue, id: string): Promise<string[]> {
  const { logs } = await queue.getJobLogs(id, 0, MAX_LOG_ENTRIES - 1, true);
  return logs.flatMap((entry) => entry.split('\n'));
}
