/** Keeps the schedules in the queue in step with what modules declare: adds, changes, removes, mends. */
import type { JobSchedulerJson, Queue } from 'bullmq';
import type { JobData } from './job-data.ts';
import type { TaskPlan } from './plan.ts';

/** A slot this late was missed: nobody was there to run it. */
const MISSED_MS = 5_000;
/** A schedule whose next slot is this long over, and has no job, was cut off and is laid down again. */
const LOST_MS = 120_000;
const MAX_SCHEDULES = 1_000;

/**
 * Lays the schedules of a queue down as they are declared, and nothing else.
 * @param isReturn nobody has taken runs here until now: what is due was missed
 * @returns the tasks whose missed slot was given up
 */
export async function layDown(
  queue: Queue,
  plans: readonly TaskPlan[],
  { now, isReturn }: { readonly now: number; readonly isReturn: boolean },
): Promise<string[]> {
  const wanted = new Map(plans.map((plan) => [plan.task, plan]));
  const found = new Map<string, JobSchedulerJson>();
  for (const scheduler of await queue.getJobSchedulers(0, MAX_SCHEDULES, true)) {
    if (wanted.has(scheduler.key)) found.set(scheduler.key, scheduler);
    else await queue.removeJobScheduler(scheduler.key);
  }
  const givenUp: string[] = [];
  for (const plan of wanted.values()) {
    const existing = found.get(plan.task);
    const isMissed = existing !== undefined && isReturn && (await isToBeGivenUp(queue, plan, existing, now));
    if (isMissed) givenUp.push(plan.task);
    if (existing === undefined || isMissed || !isSame(plan, existing) || (await isLost(queue, existing, now))) {
      await upsert(queue, plan);
    }
  }
  return givenUp;
}

export async function removeSchedules(queue: Queue): Promise<number> {
  const schedulers = await queue.getJobSchedulers(0, MAX_SCHEDULES, true);
  for (const { key } of schedulers) await queue.removeJobScheduler(key);
  return schedulers.length;
}

async function upsert(queue: Queue, plan: TaskPlan): Promise<void> {
  if (plan.schedule === undefined) return;
  const { pattern, timezone } = plan.schedule;
  const data: JobData = { data: 'null', origin: 'schedule' };
  await queue.upsertJobScheduler(plan.task, { pattern, tz: timezone }, { name: plan.task, data, opts: plan.job });
}

/** An upsert gives up the slot that is due; without one it runs as soon as somebody takes it: `run-once`. */
async function isToBeGivenUp(queue: Queue, plan: TaskPlan, { next }: JobSchedulerJson, now: number): Promise<boolean> {
  if (plan.declaration.missed !== 'skip' || next === undefined || now - next < MISSED_MS) return false;
  // One that another host runs, or has taken from the schedule, was not missed.
  return (await queue.getJob(slotId(plan.task, next)))?.isDelayed() ?? false;
}

/** Its next run was removed by hand, or could not be added: it would never run again. */
async function isLost(queue: Queue, { key, next }: JobSchedulerJson, now: number): Promise<boolean> {
  if (next === undefined) return true;
  return now - next > LOST_MS && (await queue.getJob(slotId(key, next))) === undefined;
}

function slotId(task: string, slot: number): string {
  return `repeat:${task}:${slot}`;
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
