/** Keeps the schedules in the queue in step with what modules declare: adds, changes, removes, mends. */
import type { JobSchedulerJson, Queue } from 'bullmq';
import type { JobData } from './job-data.ts';
import type { TaskPlan } from './plan.ts';

/** A slot this late was missed: nobody was there to run it. */
const MISSED_MS = 5_000;
/** A schedule whose next slot is this long over, and has no job, was cut off and is laid down again. */
const LOST_MS = 120_000;
const MAX_SCHEDULES = 1_000;

/** Lays the schedules of a queue down as they are declared, and nothing else. */
export async function layDown(queue: Queue, plans: readonly TaskPlan[], now: number): Promise<void> {
  const wanted = new Map(plans.map((plan) => [plan.task, plan]));
  const found = new Map<string, JobSchedulerJson>();
  for (const scheduler of await queue.getJobSchedulers(0, MAX_SCHEDULES, true)) {
    if (wanted.has(scheduler.key)) found.set(scheduler.key, scheduler);
    else await queue.removeJobScheduler(scheduler.key);
  }
  for (const plan of wanted.values()) {
    const existing = found.get(plan.task);
    if (existing === undefined || (await needsChange(queue, plan, existing, now))) await upsert(queue, plan);
  }
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

/**
 * An upsert gives up the slot that is due, which is what `missed: skip` asks for; without one it runs as soon as
 * somebody takes it, which is what `run-once` asks for.
 */
async function needsChange(queue: Queue, plan: TaskPlan, found: JobSchedulerJson, now: number): Promise<boolean> {
  if (!isSame(plan, found) || found.next === undefined) return true;
  const late = now - found.next;
  if (late < MISSED_MS) return false;
  const job = await queue.getJob(`repeat:${plan.task}:${found.next}`);
  if (job === undefined) return late > LOST_MS;
  // One that waits for a free place was not missed, and neither was one that runs.
  return plan.declaration.missed === 'skip' && (await job.isDelayed());
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
