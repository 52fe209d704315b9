/** The runs that are under way in this host, and what they tell on the way: progress and log lines, both bounded. */
import type { Job } from 'bullmq';
import { storable } from './stored-text.ts';

export interface Run {
  readonly module: string;
  readonly task: string;
  readonly jobId: string;
  /** Orders runs of one task: epoch milliseconds of the slot, or of the moment when it was asked for. */
  readonly since: number;
  /** Ends the run: the host goes down. */
  readonly cancel: AbortController;
}

interface Live extends Run {
  readonly job: Pick<Job, 'updateProgress' | 'log'>;
  /** The newest progress that was not written yet. */
  pending: { percent: number; note?: string } | undefined;
  lines: string[];
  /** Characters that wait for the next flush, and that were written before. */
  entry: number;
  written: number;
  dropped: number;
  timer: NodeJS.Timeout | undefined;
  /** Writes go one after the other. */
  writing: Promise<void>;
}

/** Progress and lines go to the queue at most so often per run. */
const FLUSH_MS = 250;
/** Entries that a run keeps of its log, over all attempts; one entry holds the lines of one flush. */
export const MAX_LOG_ENTRIES = 20;
/** Characters of one entry. */
const MAX_ENTRY = 8_000;
/** Characters that one attempt may write. */
const MAX_WRITTEN = 64_000;
const MAX_NOTE = 500;
const MAX_LINE = 2_000;

export class RunningJobs {
  readonly #byId = new Map<string, Live>();
  readonly #onFailure: (run: Run, error: unknown) => void;

  constructor(onFailure: (run: Run, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#byId.size;
  }

  add(run: Run, job: Live['job']): void {
    const told = { pending: undefined, lines: [], entry: 0, written: 0, dropped: 0 };
    const live: Live = { ...run, job, ...told, timer: undefined, writing: Promise.resolve() };
    this.#byId.set(key(run.module, run.jobId), live);
  }

  /** Forgets the run, and writes what it still had to tell. */
  async end({ module, jobId }: Run): Promise<void> {
    const live = this.#byId.get(key(module, jobId));
    if (live === undefined) return;
    this.#byId.delete(key(module, jobId));
    if (live.dropped > 0) live.lines.push(`… ${live.dropped} more lines were dropped`);
    clearTimeout(live.timer);
    await live.writing;
    await this.#write(live);
  }

  has({ module, jobId }: Run): boolean {
    return this.#byId.has(key(module, jobId));
  }

  /** Other runs of the same task that are under way here. */
  others({ module, task, jobId }: Run): Run[] {
    const others: Run[] = [];
    for (const run of this.#byId.values()) {
      if (run.module === module && run.task === task && run.jobId !== jobId) others.push(run);
    }
    return others;
  }

  cancelAll(): void {
    for (const run of this.#byId.values()) run.cancel.abort();
  }

  /** Boundary: the job is found under the module that calls, so no module can speak for the run of another. */
  progress(module: string, jobId: string, percent: number, note: string | undefined): void {
    const live = this.#byId.get(key(module, jobId));
    if (live === undefined) return;
    live.pending = note === undefined ? { percent } : { percent, note: storable(note, MAX_NOTE) };
    this.#flushSoon(live);
  }

  log(module: string, jobId: string, line: string): void {
    const live = this.#byId.get(key(module, jobId));
    if (live === undefined) return;
    const text = storable(line, MAX_LINE);
    const cost = text.length + 1;
    if (live.entry + cost > MAX_ENTRY || live.written + live.entry + cost > MAX_WRITTEN) {
      live.dropped += 1;
      return;
    }
    live.entry += cost;
    live.lines.push(text);
    this.#flushSoon(live);
  }

  #flushSoon(live: Live): void {
    live.timer ??= setTimeout(() => {
      live.timer = undefined;
      live.writing = live.writing.then(() => this.#write(live));
    }, FLUSH_MS).unref();
  }

  async #write(live: Live): Promise<void> {
    const { pending, lines } = live;
    live.pending = undefined;
    live.lines = [];
    live.written += live.entry;
    live.entry = 0;
    try {
      if (pending !== undefined) await live.job.updateProgress(pending);
      // One call for many lines; the views take them apart again.
      if (lines.length > 0) await live.job.log(lines.join('\n'));
    } catch (error) {
      this.#onFailure(live, error);
    }
  }
}

function key(module: string, jobId: string): string {
  return `${module}\n${jobId}`;
}
