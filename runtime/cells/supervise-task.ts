/**
 * Keeps the promise about the time of a task: at its deadline it is asked to stop, after the grace its thread is ended,
 * and nobody hears of its end before nothing of it goes on.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface TaskLimits {
  readonly timeoutMs: number;
  /** After the deadline, or after `signal`, for tidying up. */
  readonly graceMs: number;
  /** Fires when the run is not wanted any more. */
  readonly signal: AbortSignal;
}

/** What the supervision may do with the run and its thread. */
export interface RunningTask {
  readonly name: string;
  readonly answer: Promise<unknown>;
  /** Processor time in milliseconds, and when it has been used up. */
  readonly budget?: { readonly ms: number; readonly spent: AbortSignal };
  /** Resolves when the thread is gone; soon after it was told to go, in any case. */
  readonly threadEnded: Promise<void>;
  /** Aborts the handler's signal; a thread that does not even take the question is ended. */
  readonly askToStop: (onYield: () => void) => void;
  /** Ends a thread that yields. */
  readonly endThread: (why: string) => void;
}

/** The longest that a timer of Node waits; it fires at once when asked for more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * @returns what the guest answered in time
 * @throws PlexiError TASK_TIMEOUT, CLIENT_CLOSED; or what ended the thread under the run
 */
export async function superviseTask(task: RunningTask, { timeoutMs, graceMs, signal }: TaskLimits): Promise<unknown> {
  let over: Over | undefined;
  let timer = setTimeout(() => callOff('deadline'), Math.min(timeoutMs, MAX_TIMER_MS));
  const callOff = (why: Over): void => {
    if (over !== undefined) return;
    over = why;
    clearTimeout(timer);
    timer = setTimeout(endIfItYields, graceMs);
    task.askToStop(() => {});
  };
  // A thread that spins by now is not one that was merely slow to stop: its answer, or its silence, tells.
  const endIfItYields = (): void =>
    task.askToStop(() => task.endThread(explainEnd(task.name, over ?? 'deadline', graceMs)));
  const onAbort = (): void => callOff('signal');
  const onSpent = (): void => callOff('cpu');
  task.budget?.spent.addEventListener('abort', onSpent, { once: true });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();

  const end = await task.answer
    .then(
      (answer) => ({ isGone: false, value: answer }),
      (error: unknown) => ({ isGone: true, value: error }),
    )
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      task.budget?.spent.removeEventListener('abort', onSpent);
    });
  // Boundary: a run may be started anew once this has settled, so nothing of it may go on then.
  if (end.isGone) await task.threadEnded;
  if (over !== undefined) throw callOffError(task, over, end.isGone, { timeoutMs, graceMs });
  if (end.isGone) throw end.value;
  return end.value;
}

type Over = 'deadline' | 'signal' | 'cpu';

const SINCE: Readonly<Record<Over, string>> = {
  deadline: 'its deadline',
  signal: 'it was called off',
  cpu: 'it had used up its processor time',
};

function explainEnd(name: string, over: Over, graceMs: number): string {
  const since = SINCE[over];
  return `task ${name} did not stop ${seconds(graceMs)} after ${since}; its thread was ended`;
}

function callOffError(
  { name, budget }: RunningTask,
  over: Over,
  wasEnded: boolean,
  { timeoutMs, graceMs }: Pick<TaskLimits, 'timeoutMs' | 'graceMs'>,
): PlexiError {
  const how = wasEnded
    ? `It did not stop by itself within the ${seconds(graceMs)} after that; its thread was ended.`
    : 'It stopped by itself when it was asked to.';
  if (over === 'signal') return new PlexiError('CLIENT_CLOSED', `The run of the task ${name} was called off. ${how}`);
  if (over === 'cpu') {
    const spent = `used up its ${seconds(budget?.ms ?? 0)} of processor time (runtime.cpu_ms)`;
    return new PlexiError('TASK_TIMEOUT', `The task ${name} ${spent}. ${how}`);
  }
  return new PlexiError('TASK_TIMEOUT', `The task ${name} did not end within ${seconds(timeoutMs)}. ${how}`);
}

function seconds(ms: number): string {
  return `${Math.round(ms) / 1000} s`;
}
