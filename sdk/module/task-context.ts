/** What the handler of a task gets. */
import { MAX_TASK_LINE, MAX_TASK_NOTE } from '../protocol/task-limits.ts';
import type { TaskRequest } from '../protocol/tasks.ts';
import { describeValue } from './describe-value.ts';
import type { HostBinding, TaskReport } from './host-binding.ts';
import { openSignal } from './invocation-signal.ts';

/** The run that a handler is called for. */
export interface TaskJob<Data = unknown> {
  /** The same for every attempt of a run. */
  readonly id: string;
  /** The method's name. */
  readonly name: string;
  /** What `enqueue`, or the operator, gave; null when that was nothing. Nobody has checked it. */
  readonly data: Data;
  /** 1 for the first; it grows with each retry, and when the run starts again after a crash. */
  readonly attempt: number;
  /** The moment of the schedule that the run stands for, ISO 8601 in UTC; null for a run that was asked for. */
  readonly slot: string | null;
}

/**
 * What the handler of a task gets. A run happens at least once: a crash or a restart in the middle starts it again,
 * with the same `job.id` and a higher `job.attempt`. For a scheduled run the pair of `job.name` and `job.slot` is the
 * key that makes doing it twice harmless, whoever runs it and however often; for one that was asked for it is `job.id`.
 * `TaskContext<Data>` says what `job.data` is.
 * @example
 * class Digest extends BaseModule {
 *   @moduleTask({ schedule: '0 * * * *', retryCount: 3, timeout: 120 })
 *   async sendDigest({ job, signal, progress, log }: TaskContext) {
 *     const reply = await this.http.fetch('https://mail.example.com/digests', {
 *       method: 'POST',
 *       headers: { 'idempotency-key': `${job.name} ${job.slot ?? job.id}` },
 *       signal,
 *     });
 *     if (reply.status === 410) throw new UnrecoverableError('The mailing list is gone.');
 *     if (!reply.ok) throw new Error(`The mail service answered ${reply.status}.`);
 *     log(`Sent in attempt ${job.attempt}.`);
 *     progress(100, 'sent');
 *   }
 * }
 */
export interface TaskContext<Data = unknown> {
  readonly job: TaskJob<Data>;
  /** Aborts at the deadline, or when the run is not wanted any more; a handler that goes on is ended with its thread. */
  readonly signal: AbortSignal;
  /**
   * How far the run has come, and a word on it (500 characters). Operators see the newest.
   * @throws TypeError when percent is no number from 0 to 100, or the note no text; never for want of a connection
   */
  progress(percent: number, note?: string): void;
  /**
   * Adds a line to the log of the run, which operators read beside its outcome; cut at 2,000 characters.
   * @throws TypeError when it is no text; never for want of a connection
   */
  log(line: string): void;
}

export class RunningTask implements TaskContext {
  readonly job: TaskJob;
  readonly #invocation: number;
  readonly #name: string;
  readonly #host: HostBinding;
  #report: TaskReport | undefined;
  #abort: AbortController | undefined;
  #cancelled = false;
  #finished = false;

  /** @param name `WeatherModule.refresh`, for messages */
  constructor(request: TaskRequest, data: unknown, name: string, host: HostBinding) {
    const { jobId, task, attempt, slot } = request;
    this.job = { id: jobId, name: task, data, attempt, slot };
    this.#invocation = request.invocation;
    this.#name = name;
    this.#host = host;
  }

  get signal(): AbortSignal {
    this.#abort ??= openSignal(this.#invocation, this.#cancelled);
    return this.#abort.signal;
  }

  /** Fields, not methods: a handler takes them out of its context. */
  readonly progress = (percent: number, note?: string): void => {
    if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100)) {
      throw new TypeError(
        `${this.#name}: progress(percent) takes a number from 0 to 100, found ${describeValue(percent)}.`,
      );
    }
    if (note !== undefined && typeof note !== 'string') {
      throw new TypeError(`${this.#name}: progress(percent, note) takes a text as note, found ${describeValue(note)}.`);
    }
    this.#openReport()?.progress(percent, note === undefined ? undefined : cut(note, MAX_TASK_NOTE));
  };

  readonly log = (line: string): void => {
    if (typeof line !== 'string') {
      throw new TypeError(`${this.#name}: log(line) takes a text, found ${describeValue(line)}.`);
    }
    this.#openReport()?.log(cut(line, MAX_TASK_LINE));
  };

  /** The host wants this run to end. */
  cancel(): void {
    this.#cancelled = true;
    this.#abort?.abort();
  }

  /** Its handler has settled: what waits leaves, what comes later is dropped. */
  finish(): void {
    this.#finished = true;
    this.#report?.close();
  }

  #openReport(): TaskReport | undefined {
    if (!this.#finished) this.#report ??= this.#host.reportTask(this.job.id);
    return this.#report;
  }
}

/** Both halves of a surrogate pair stay, or both go. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
