/** Jobs and plans as operators see them. */

import type { Job, JobSchedulerJson } from 'bullmq';
import { readReason } from './failure.ts';
import { checkJobData, slotOf } from './job-data.ts';
import { nextSlot } from './next-slot.ts';
import type { Pause } from './pauses.ts';
import type { TaskPlan } from './plan.ts';
import type { RunState, RunView, TaskView } from './task-desk.ts';

/** The last moment that a Date can name. */
const LATEST_MS = 8.64e15;

/** Its log is read apart. */
export function viewRun(job: Job, state: RunState): RunView {
  const data = checkJobData(job.data) ? job.data : undefined;
  const progress = readProgress(job.progress);
  const { result, skipped } = readResult(job.returnvalue);
  const isScheduled = job.repeatJobKey !== undefined;
  const interruptions = (data?.interruptions ?? 0) + (job.stalledCounter ?? 0);
  return {
    id: job.id ?? '',
    state,
    origin: data?.origin ?? (isScheduled ? 'schedule' : 'operator'),
    slot: slotOf(job)?.toISOString() ?? null,
    attempt: job.attemptsMade + (state === 'active' ? 1 : 0),
    attempts: job.opts.attempts ?? 1,
    interruptions,
    created_at: timeOf(job.timestamp),
    started_at: timeOf(job.processedOn),
    finished_at: state === 'completed' || state === 'failed' ? timeOf(job.finishedOn) : null,
    // A run that was put off counts from its last start.
    due_at: state === 'delayed' ? timeOf((job.processedOn ?? job.timestamp) + job.delay) : null,
    progress: progress.percent,
    note: progress.note,
    result,
    skipped,
    error: job.failedReason === undefined || state === 'completed' ? null : readReason(job.failedReason),
    logs: [],
  };
}

export interface TaskFacts {
  readonly isServed: boolean;
  /** The queue could be asked. */
  readonly isKnown: boolean;
  readonly pause: Pause | undefined;
  readonly failures: number;
  readonly scheduler: JobSchedulerJson | undefined;
  readonly now: number;
}

export function viewTask(plan: TaskPlan, facts: TaskFacts): TaskView {
  const { schedule, declaration } = plan;
  const state = stateOf(plan, facts);
  return {
    module: plan.module,
    task: plan.task,
    state,
    schedule: schedule?.pattern ?? null,
    timezone: schedule?.timezone ?? null,
    next_at:
      state === 'scheduled' && schedule !== undefined
        ? timeOf(facts.scheduler?.next ?? nextSlot(schedule, facts.now))
        : null,
    paused: facts.pause ?? null,
    failures_in_a_row: facts.failures,
    timeout_seconds: declaration.timeout,
    retry_count: declaration.retryCount,
    priority: declaration.priority,
    overlap: declaration.overlap,
    missed: declaration.missed,
  };
}

function stateOf({ schedule }: TaskPlan, { isServed, isKnown, pause }: TaskFacts): TaskView['state'] {
  if (pause !== undefined) return 'paused';
  if (schedule === undefined) return isServed ? 'on_demand' : 'idle';
  if (!isServed) return 'idle';
  return isKnown ? 'scheduled' : 'unknown';
}

/** Boundary: times in the queue can be edited like everything in it. */
function timeOf(milliseconds: unknown): string | null {
  if (typeof milliseconds !== 'number' || !(Math.abs(milliseconds) <= LATEST_MS)) return null;
  return new Date(milliseconds).toISOString();
}

function readProgress(progress: unknown): { percent: number | null; note: string | null } {
  if (typeof progress !== 'object' || progress === null) return { percent: null, note: null };
  const { percent, note } = progress as { percent?: unknown; note?: unknown };
  return { percent: typeof percent === 'number' ? percent : null, note: typeof note === 'string' ? note : null };
}

function readResult(returned: unknown): { result: unknown; skipped: string | null } {
  if (typeof returned !== 'object' || returned === null) return { result: null, skipped: null };
  const { result, skipped } = returned as { result?: unknown; skipped?: unknown };
  return { result: parse(result), skipped: typeof skipped === 'string' ? skipped : null };
}

/** What was written as JSON text, read; anything else as it is. */
function parse(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
