/**
 * One job from the queue, every step in order: which task it is → is its time still right → a free place for the module
 * and in the host → the module → what the outcome means. The door for tasks, as invocation/invoke.ts is the one for HTTP.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { ServedModule } from '../modules/served-module.ts';
import type { Slots } from '../modules/slots.ts';
import { MAX_HOSTS_LOST } from '../queue/backend.ts';
import { isConnectionLost } from '../queue/reachability.ts';
import { judge, type Verdict } from './failure.ts';
import { giveBack } from './give-back.ts';
import { type JobData, readJobData, slotOf } from './job-data.ts';
import { nextSlot } from './next-slot.ts';
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
  /** Other hosts may have other versions of the modules. */
  readonly isShared: () => boolean;
  /** Whether the schedule was paused since the slot was laid down. */
  readonly isPaused: (plan: TaskPlan) => Promise<boolean>;
  /** Other runs of the task that are under way, in any host. */
  readonly others: (plan: TaskPlan, run: Run) => Promise<readonly Pick<Run, 'since' | 'jobId'>[]>;
  readonly meter: TaskMeter;
  readonly graceMs: number;
  /** A scheduled run succeeded, or failed for good. Never rejects. */
  readonly onScheduled: (plan: TaskPlan, failure: string | undefined) => Promise<void>;
  /** An error that is nobody's but the host's or its queue's. */
  readonly onFault: (module: string, error: unknown) => void;
  readonly now: () => number;
}

/** Why a slot was left out. */
export type Skipped = 'overlap' | 'paused' | 'superseded';

/** What a run leaves in the queue. */
export interface RunResult {
  /** JSON text of what the handler returned. */
  readonly result?: string;
  readonly skipped?: Skipped;
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
  /** Attempts before this one, those included that came to nothing without anybody's fault. */
  readonly before: number;
}

/** A free place is waited for this long; then the run goes back into the queue. */
const PLACE_MS = 60_000;
/** A run whose task this host does not know waits for a host that does: so long between tries, so long at most. */
const UNKNOWN_PAUSE_MS = 30_000;
const UNKNOWN_MS = 60 * 60_000;
/** A slot that was begun before waits for others to end, at most so long after its time. */
const YIELD_PAUSE_MS = 5_000;
const YIELD_MS = 10 * 60_000;

/** @throws DelayedError when it runs again later; UnrecoverableError or AttemptError when the attempt failed */
export async function runJob(parts: RunParts, taken: TakenJob): Promise<RunResult> {
  try {
    return await run(parts, taken);
  } catch (error) {
    const isMeant =
      error instanceof DelayedError || error instanceof UnrecoverableError || error instanceof AttemptError;
    if (isMeant) throw error;
    parts.onFault(taken.module, error);
    throw new AttemptError('INTERNAL: The host failed at running it.');
  }
}

async function run(parts: RunParts, taken: TakenJob): Promise<RunResult> {
  const attempt = await identify(parts, taken);
  const { plan, run, slot } = attempt;
  // Its lock ran out while it ran: the one that is under way here has to end first.
  if (parts.running.has(run)) return back(parts, attempt, YIELD_PAUSE_MS);
  parts.running.add(run, attempt.job);
  try {
    const skipped = slot === undefined ? undefined : await findReasonToSkip(parts, attempt, slot);
    if (skipped !== undefined) return skip(parts, plan, skipped);
    return await perform(parts, attempt);
  } finally {
    await parts.running.end(run);
  }
}

async function identify(parts: RunParts, taken: TakenJob): Promise<Attempt> {
  const { module, job } = taken;
  const hosts = job.stalledCounter ?? 0;
  // The queue itself stops at that number, but for scheduled runs.
  if (hosts > MAX_HOSTS_LOST) throw failForGood(parts, taken, `MODULE_CRASHED: Its host went away ${hosts} times.`);
  const plan = parts.planOf(module, job.name);
  if (plan === undefined) {
    const isYoung = parts.now() - job.timestamp - (job.opts.delay ?? 0) < UNKNOWN_MS;
    if (parts.isShared() && isYoung) return back(parts, taken, UNKNOWN_PAUSE_MS);
    throw failForGood(parts, taken, `MODULE_ERROR: ${module} has no task ${job.name} any more.`);
  }
  const slot = slotOf(job);
  const since = slot?.getTime() ?? job.timestamp;
  const run: Run = { module, task: plan.task, jobId: job.id ?? '', since, cancel: new AbortController() };
  try {
    const data = readJobData(job);
    return { ...taken, plan, run, data, slot, before: job.attemptsMade + (data.interruptions ?? 0) + hosts };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'the job cannot be read';
    throw failForGood(parts, taken, `INVALID_INPUT: ${why}`);
  }
}

/** Only a slot of the schedule is left out; what somebody asked for is never dropped. */
async function findReasonToSkip(parts: RunParts, attempt: Attempt, slot: Date): Promise<Skipped | undefined> {
  const { plan, run, before } = attempt;
  try {
    if (await parts.isPaused(plan)) return 'paused';
    if (plan.declaration.overlap !== 'skip') return undefined;
    const others = await parts.others(plan, run);
    if (others.some((other) => isEarlier(other, run))) return 'overlap';
    if (others.length === 0 || before === 0) return undefined;
  } catch (error) {
    // The queue was cut off at this moment, which its door tells; the handler has not been called, so nothing has failed.
    if (!isConnectionLost(error)) parts.onFault(plan.module, error);
    return back(parts, attempt, YIELD_PAUSE_MS);
  }
  // A later slot began while this one waited to be tried again.
  if (parts.now() - slot.getTime() > YIELD_MS) return 'overlap';
  return back(parts, attempt, YIELD_PAUSE_MS);
}

async function perform(parts: RunParts, attempt: Attempt): Promise<RunResult> {
  const { plan, slot } = attempt;
  let startedAt: number | undefined;
  const onStart = (): void => {
    startedAt = parts.now();
    if (attempt.before === 0) parts.meter.started(plan.module, plan.task, startedAt - dueAt(attempt.job));
  };
  const runMs = (): number => (startedAt === undefined ? 0 : parts.now() - startedAt);
  let result: string | undefined;
  try {
    result = await callModule(parts, attempt, onStart);
  } catch (error) {
    if (!(error instanceof PlexiError)) parts.onFault(plan.module, error);
    return settle(parts, attempt, judge(error, attempt.data.crashes ?? 0), error, runMs());
  }
  parts.meter.ended(plan.module, plan.task, 'completed', runMs());
  if (slot !== undefined) await parts.onScheduled(plan, undefined);
  return result === undefined ? {} : { result };
}

function callModule(parts: RunParts, attempt: Attempt, onStart: () => void): Promise<string | undefined> {
  const { plan, run, data, slot, before } = attempt;
  const module = parts.moduleOf(plan.module);
  if (module === undefined) throw new PlexiError('MODULE_UNAVAILABLE', 'The module is not served by this host.');
  return withPlace(attempt.places, parts, run, () =>
    withPlace(parts.places, parts, run, () =>
      module.runTask(
        {
          task: plan.task,
          jobId: run.jobId,
          attempt: before + 1,
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

/** @throws as runJob */
async function settle(
  parts: RunParts,
  attempt: Attempt,
  verdict: Verdict,
  error: unknown,
  runMs: number,
): Promise<RunResult> {
  const { plan, run, job, data, slot } = attempt;
  if (verdict.kind === 'again') {
    if (!verdict.isInterruption) {
      if (slot !== undefined && isSuperseded(parts, plan, slot)) return skip(parts, plan, 'superseded');
      return back(parts, attempt, verdict.afterMs);
    }
    parts.meter.ended(plan.module, plan.task, 'interrupted', runMs);
    parts.running.log(run.module, run.jobId, `Interrupted, runs again: ${wordsOf(error)}`);
    const interruptions = (data.interruptions ?? 0) + 1;
    const crashes = (data.crashes ?? 0) + (verdict.isCrash ? 1 : 0);
    return back(parts, attempt, verdict.afterMs, { ...data, interruptions, crashes });
  }
  const isFinal = verdict.isFinal || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  const end = isFinal || verdict.end !== 'failed' ? verdict.end : 'retry';
  parts.meter.ended(plan.module, plan.task, end, runMs);
  if (!isFinal) {
    const line = `Attempt ${job.attemptsMade + 1} failed, another follows: ${verdict.reason}`;
    parts.running.log(run.module, run.jobId, line);
    throw new AttemptError(verdict.reason);
  }
  if (slot !== undefined) await parts.onScheduled(plan, verdict.reason);
  throw unrecoverable(verdict.reason);
}

/** The module could not be started for so long that the next slot stands for this one too. */
function isSuperseded({ now }: RunParts, { declaration, schedule }: TaskPlan, slot: Date): boolean {
  return declaration.overlap === 'skip' && schedule !== undefined && nextSlot(schedule, slot.getTime()) <= now();
}

function skip({ meter }: RunParts, { module, task }: TaskPlan, skipped: Skipped): RunResult {
  meter.ended(module, task, 'skipped', 0);
  return { skipped };
}

function back(parts: RunParts, taken: TakenJob, afterMs: number, data?: JobData): Promise<never> {
  const { module, job, token } = taken;
  return giveBack({
    job,
    token,
    ...(data === undefined ? {} : { data }),
    at: parts.now() + afterMs,
    onFailure: (error) => parts.onFault(module, error),
  });
}

function isEarlier(one: Pick<Run, 'since' | 'jobId'>, other: Pick<Run, 'since' | 'jobId'>): boolean {
  return one.since < other.since || (one.since === other.since && one.jobId < other.jobId);
}

function dueAt({ timestamp, opts }: Job): number {
  return timestamp + (opts.delay ?? 0);
}

function wordsOf(error: unknown): string {
  return error instanceof PlexiError ? error.message : 'the host failed';
}

function failForGood({ meter }: RunParts, { module, job }: TakenJob, reason: string): Error {
  meter.ended(module, job.name, 'failed', 0);
  return unrecoverable(reason);
}

/** Boundary: the queue keeps stacks beside failures, and ours would name files of the host. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';

  constructor(reason: string) {
    super(reason);
    this.stack = reason;
  }
}

function unrecoverable(reason: string): UnrecoverableError {
  const error = new UnrecoverableError(reason);
  error.stack = reason;
  return error;
}
