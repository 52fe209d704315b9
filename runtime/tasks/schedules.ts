/** Keeps the schedules in the queue in step with what modules declare: adds, changes, removes, mends. */
import type { JobSchedulerJson, Queue } from 'bullmq';
import type { JobData } from './job-data.ts';
import { nextSlot } from './next-slot.ts';
import type { TaskPlan } from './plan.ts';

/** A slot this late was missed: nobody was there to run it. */
const MISSED_MS = 5_000;
/** A schedule whose next slot is this long over, and has no job, was cut off and is laid down again. */
const LOST_MS = 120_000;
/** A next slot this much too late was laid down by a clock that was wrong. */
const AHEAD_MS = 60_000;
const MAX_SCHEDULES = 1_000;

export interface LayDownOptions {
  readonly now: number;
  /** Nobody has taken runs until now: what is due was missed. */
  readonly isReturn: boolean;
  /** A schedule could not be laid down; the others were. */
  readonly onFailure: (task: string, error: unknown) => void;
}

export interface LaidDown {
  /** Tasks whose missed slot was given up. */
  readonly givenUp: readonly string[];
  /** Tasks whose change waits for the slot that is due to be taken. */
  readonly pending: readonly string[];
}

/** Lays the schedules of a queue down as they are declared, and nothing else. */
export async function layDown(queue: Queue, plans: readonly TaskPlan[], options: LayDownOptions): Promise<LaidDown> {
  const wanted = new Map(plans.map((plan) => [plan.task, plan]));
  const found = new Map<string, JobSchedulerJson>();
  for (const scheduler of await queue.getJobSchedulers(0, MAX_SCHEDULES, true)) {
    if (wanted.has(scheduler.key)) found.set(scheduler.key, scheduler);
    else await queue.removeJobScheduler(scheduler.key);
  }
  const givenUp: string[] = [];
  const pending: string[] = [];
  for (const plan of wanted.values()) {
    const verdict = await judge(queue, plan, found.get(plan.task), options);
    if (verdict === 'give-up') givenUp.push(plan.task);
    if (verdict === 'wait') pending.push(plan.task);
    if (verdict !== 'lay-down' && verdict !== 'give-up') continue;
    await upsert(queue, plan).catch((error: unknown) => options.onFailure(plan.task, error));
  }
  return { givenUp, pending };
}

export async function removeSchedules(queue: Queue): Promise<void> {
  for (const { key } of await queue.getJobSchedulers(0, MAX_SCHEDULES, true)) await queue.removeJobScheduler(key);
}

/** An upsert gives up the slot that is due, which `missed: skip` asks for and `run-once` forbids. */
async function judge(
  queue: Queue,
  plan: TaskPlan,
  found: JobSchedulerJson | undefined,
  { now, isReturn }: LayDownOptions,
): Promise<'fine' | 'lay-down' | 'give-up' | 'wait'> {
  if (found?.next === undefined) return 'lay-down';
  const lateMs = now - found.next;
  if (lateMs < 0) return isSame(plan, found) && !isTooFar(plan, found.next, now) ? 'fine' : 'lay-down';
  const job = await queue.getJob(`repeat:${plan.task}:${found.next}`);
  if (job === undefined) return lateMs > LOST_MS || !isSame(plan, found) ? 'lay-down' : 'fine';
  const isWaiting = await job.isDelayed();
  if (isWaiting && isReturn && lateMs >= MISSED_MS && plan.declaration.missed === 'skip') return 'give-up';
  if (isSame(plan, found)) return 'fine';
  return isWaiting && plan.declaration.missed === 'run-once' ? 'wait' : 'lay-down';
}

function isTooFar({ schedule }: TaskPlan, next: number, now: number): boolean {
  return schedule !== undefined && next > nextSlot(schedule, now) + AHEAD_MS;
}

async function upsert(queue: Queue, plan: TaskPlan): Promise<void> {
  if (plan.schedule === undefined) return;
  const { pattern, timezone } = plan.schedule;
  const data: JobData = { data: 'null', origin: 'schedule' };
  await queue.upsertJobScheduler(plan.task, { pattern, tz: timezone }, { name: plan.task, data, opts: plan.job });
}

function isSame({ schedule, job }: TaskPlan, found: JobSchedulerJson): boolean {
  const options = found.template?.opts;
  return (
    found.pattern === schedule?.pattern &&
    found.tz === schedule?.timezone &&
    options?.attempts === job.attempts &&
    options?.priority === job.priority
  );
}
