/**
 * One job from the queue, every step in order: which task it is → is its time still right → a free place in the host →
 * the module → what the outcome means. The door for tasks, as invocation/invoke.ts is the one for HTTP.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { ServedModule } from '../modules/served-module.ts';
import type { Slots } from '../modules/slots.ts';
import { judge } from './failure.ts';
import { type JobData, readJobData, slotOf } from './job-data.ts';
import type { TaskPlan } from './plan.ts';
import type { Run, RunningJobs } from './running.ts';
import type { TaskMeter } from './task-desk.ts';

export interface RunParts {
  /** Of the module as it is served now. */
  readonly planOf: (module: string, task: string) => TaskPlan | undefined;
  readonly moduleOf: (module: string) => ServedModule | undefined;
  readonly running: RunningJobs;
  /** Runs under way in this host, over all modules. */
  readonly places: Slots;
  /** Whether an earlier run of the task is under way in any host. */
  readonly hasEarlier: (plan: TaskPlan, run: Run) => Promise<boolean>;
  readonly meter: TaskMeter;
  readonly graceMs: number;
  /** A scheduled run succeeded, or failed for good. Never rejects. */
  readonly onScheduled: (plan: TaskPlan, failure: string | undefined) => Promise<void>;
  /** An error that is nobody's but the host's or its queue's. */
  readonly onFault: (module: string, error: unknown) => void;
  readonly now: () => number;
}

/** What a run leaves in the queue. */
export interface RunResult {
  /** JSON text of what the handler returned. */
  readonly result?: string;
  readonly skipped?: 'overlap';
}

/** A job that this host holds the lock of. */
export interface TakenJob {
  readonly module: string;
  readonly job: Job;
  readonly token: string;
  /** Runs of the module under way in this host, over all of its queues. */
  readonly places: Slots;
}

interface Attempt extends TakenJob {
  readonly plan: TaskPlan;
  readonly run: Run;
  readonly data: JobData;
  readonly slot: Date | undefined;
  /** Earlier starts that came to nothing without anybody's fault; those of dead hosts are counted by the queue. */
  readonly interruptions: number;
}

/** A free place is waited for this long; then the run goes back into the queue. */
const PLACE_MS = 60_000;

/** @throws DelayedError when it runs again later; UnrecoverableError or Error when the attempt failed */
export async function runJob(parts: RunParts, taken: TakenJob): Promise<RunResult> {
  try {
    return await run(parts, identify(parts, taken));
  } catch (error) {
    if (error instanceof DelayedError || error instanceof AttemptError || error instanceof UnrecoverableError)
      throw error;
    // Boundary: whatever the queue's driver or we ourselves said stays in the host's log.
    parts.onFault(taken.module, error);
    throw new AttemptError('INTERNAL: The host failed at running it.');
  }
}

async function run(parts: RunParts, attempt: Attempt): Promise<RunResult> {
  const { plan, run, slot } = attempt;
  parts.running.add(run, attempt.job);
  try {
    // Only a slot of the schedule is left out; what somebody asked for is never dropped.
    if (slot !== undefined && plan.declaration.overlap === 'skip' && (await parts.hasEarlier(plan, run))) {
      parts.meter.ended(plan.module, plan.task, 'skipped', 0);
      return { skipped: 'overlap' };
    }
    const result = await perform(parts, attempt);
    if (slot !== undefined) await parts.onScheduled(plan, undefined);
    return result === undefined ? {} : { result };
  } finally {
    await parts.running.end(run);
  }
}

function identify(parts: RunParts, taken: TakenJob): Attempt {
  const { module, job } = taken;
  const plan = parts.planOf(module, job.name);
  if (plan === undefined) throw failForGood(`MODULE_ERROR: ${module} has no task ${job.name} any more.`);
  const slot = slotOf(job);
  const run: Run = {
    module,
    task: plan.task,
    jobId: job.id ?? '',
    since: slot?.getTime() ?? job.timestamp,
    cancel: new AbortController(),
  };
  try {
    const data = readJobData(job);
    const interruptions = (data.interruptions ?? 0) + (job.stalledCounter ?? 0);
    return { ...taken, plan, run, data, slot, interruptions };
  } catch (error) {
    throw failForGood(`INVALID_INPUT: ${error instanceof Error ? error.message : 'the job cannot be read'}`);
  }
}

async function perform(parts: RunParts, attempt: Attempt): Promise<string | undefined> {
  const { plan, run, job } = attempt;
  let startedAt = parts.now();
  const onStart = (): void => {
    startedAt = parts.now();
    const isFirst = job.attemptsMade === 0 && attempt.interruptions === 0;
    if (isFirst) parts.meter.started(plan.module, plan.task, startedAt - job.timestamp - (job.opts.delay ?? 0));
  };
  try {
    const result = await callModule(parts, attempt, onStart);
    parts.meter.ended(plan.module, plan.task, 'completed', parts.now() - startedAt);
    return result;
  } catch (error) {
    const verdict = judge(error, attempt.interruptions);
    if (verdict.kind === 'again') {
      parts.meter.ended(plan.module, plan.task, verdict.end, parts.now() - startedAt);
      if (verdict.isInterruption) tell(parts, run, `Interrupted, runs again: ${messageOf(error)}`);
      return runAgain(attempt, parts.now() + verdict.afterMs, verdict.isInterruption);
    }
    const isFinal = verdict.isFinal || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const end = isFinal || verdict.end !== 'failed' ? verdict.end : 'retry';
    parts.meter.ended(plan.module, plan.task, end, parts.now() - startedAt);
    if (!isFinal) tell(parts, run, `Attempt ${job.attemptsMade + 1} failed, another follows: ${verdict.reason}`);
    if (isFinal && attempt.slot !== undefined) await parts.onScheduled(plan, verdict.reason);
    throw isFinal ? failForGood(verdict.reason) : new AttemptError(verdict.reason);
  }
}

async function callModule(parts: RunParts, attempt: Attempt, onStart: () => void): Promise<string | undefined> {
  const { plan, run, data, job, slot, interruptions } = attempt;
  const module = parts.moduleOf(plan.module);
  if (module === undefined) throw new PlexiError('MODULE_UNAVAILABLE', 'The module is not served by this host.');
  return withPlace(attempt.places, parts, run, () =>
    withPlace(parts.places, parts, run, () =>
      module.runTask(
        {
          task: plan.task,
          jobId: run.jobId,
          attempt: job.attemptsMade + interruptions + 1,
          slot: slot === undefined ? null : slot.toISOString(),
          data: data.data,
        },
        { timeoutMs: plan.timeoutMs, graceMs: parts.graceMs, signal: run.cancel.signal, onStart },
      ),
    ),
  );
}

/** The module's place first: a module that has used up its own takes none of the host's. */
async function withPlace<Result>(
  places: Slots,
  { now }: RunParts,
  { cancel }: Run,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!places.tryTake()) await places.wait(now() + PLACE_MS, cancel.signal);
  try {
    return await work();
  } finally {
    places.release();
  }
}

/** Back into the queue without using up an attempt. */
async function runAgain(attempt: Attempt, at: number, isInterruption: boolean): Promise<never> {
  const { job, data, token } = attempt;
  if (isInterruption) await job.updateData({ ...data, interruptions: (data.interruptions ?? 0) + 1 });
  await job.moveToDelayed(at, token);
  throw new DelayedError();
}

/** Into the log of the run, among the lines of its task. */
function tell({ running }: RunParts, { module, jobId }: Run, line: string): void {
  running.log(module, jobId, line);
}

function messageOf(error: unknown): string {
  return error instanceof PlexiError ? error.message : 'the host failed';
}

/** Boundary: the queue keeps stacks beside failures, and ours would name files of the host. */
class AttemptError extends Error {
  constructor(reason: string) {
    super(reason);
    this.stack = reason;
  }
}

function failForGood(reason: string): UnrecoverableError {
  const error = new UnrecoverableError(reason);
  error.stack = reason;
  return error;
}
