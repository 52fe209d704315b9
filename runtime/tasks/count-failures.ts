/** After so many scheduled runs that failed in a row, a schedule pauses itself and says why. */
import type { Logger } from '../observability/log.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { isConnectionLost } from '../queue/reachability.ts';
import { Pauses } from './pauses.ts';
import type { TaskPlan } from './plan.ts';

export interface FailureRules {
  readonly pauseAfter: number;
  readonly log: Logger;
}

/** Never rejects: the run itself is over, and must not count as failed because the count is. */
export async function countOutcome(
  backend: QueueBackend | undefined,
  { module, task, queue }: TaskPlan,
  failure: string | undefined,
  { pauseAfter, log }: FailureRules,
): Promise<void> {
  if (backend === undefined) return;
  const pauses = new Pauses(backend.records);
  try {
    if (failure === undefined) {
      await pauses.succeeded(module, task);
      return;
    }
    const failures = await pauses.failed(module, task);
    log.warn({ module, task, failures }, `the scheduled run failed: ${failure}`);
    if (failures < pauseAfter) return;
    // An operator's pause, and its words, stay.
    if (await pauses.isPaused(module, task)) return;
    const reason = `It failed ${failures} times in a row; the last time: ${failure}`;
    await pauses.pause(module, task, { by: 'failures', reason, at: new Date().toISOString() });
    await backend.queue(queue).removeJobScheduler(task);
    log.error({ module, task, failures }, `the schedule pauses itself: ${failure}`);
  } catch (error) {
    // That the queue is away is told once, by its door.
    if (isConnectionLost(error)) return;
    log.warn({ module, task, err: error }, 'the outcome of a scheduled run could not be counted');
  }
}
