/** The queue of a test: keeps what was enqueued and what runs reported; runs nothing. */
import type { TaskReport } from '../module/host-binding.ts';
import type { EnqueueRequest } from '../protocol/capabilities/tasks.ts';
import { PlexiError } from '../protocol/errors.ts';

export interface EnqueuedTask {
  readonly id: string;
  readonly name: string;
  /** As the handler will get it: what went through JSON. */
  readonly data: unknown;
  /** Seconds. */
  readonly delay: number;
}

export type FakeEnqueue = (task: Omit<EnqueuedTask, 'id'>) => string | undefined | Promise<string | undefined>;

export interface RunReport {
  readonly progress: { readonly percent: number; readonly note?: string }[];
  readonly logs: string[];
}

export interface FakeTasks {
  readonly enqueued: readonly EnqueuedTask[];
  /** Which tasks the module has; others are NOT_FOUND. */
  declare(names: readonly string[]): void;
  readonly enqueue: (request: EnqueueRequest) => Promise<{ id: string }>;
  readonly report: (jobId: string) => TaskReport;
  /** Gives what a run reported, and forgets it. */
  takeReport(jobId: string): RunReport;
}

export function createFakeTasks(fake: FakeEnqueue = () => undefined): FakeTasks {
  const enqueued: EnqueuedTask[] = [];
  const reports = new Map<string, RunReport>();
  let names: readonly string[] = [];
  return {
    enqueued,
    declare: (declared) => {
      names = declared;
    },
    async enqueue({ task, data, delayMs }) {
      if (!names.includes(task)) throw new PlexiError('NOT_FOUND', unknownTask(task, names));
      const given = { name: task, data: JSON.parse(data) as unknown, delay: delayMs / 1000 };
      const id = (await fake(given)) ?? `test-${enqueued.length + 1}`;
      enqueued.push({ id, ...given });
      return { id };
    },
    report(jobId) {
      const report: RunReport = reports.get(jobId) ?? { progress: [], logs: [] };
      reports.set(jobId, report);
      return {
        progress: (percent, note) => void report.progress.push(note === undefined ? { percent } : { percent, note }),
        log: (line) => void report.logs.push(line),
        close: () => {},
      };
    },
    takeReport(jobId) {
      const report = reports.get(jobId) ?? { progress: [], logs: [] };
      reports.delete(jobId);
      return report;
    },
  };
}

export function unknownTask(task: string, names: readonly string[]): string {
  return `The module has no task "${task}"; it has ${names.length === 0 ? 'none' : names.join(', ')}.`;
}
