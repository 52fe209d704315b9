/** Runs one task of a module under test, as the host would: data goes through JSON, the outcome comes back as facts. */
import { explainData } from '../module/explain-json.ts';
import type { ModuleRunner } from '../module/runner.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { type FakeTasks, unknownTask } from './fake-tasks.ts';

export interface HarnessTask {
  /** `job.data`; any JSON value. Default: null. */
  readonly data?: unknown;
  /** Default: 1. */
  readonly attempt?: number;
  /** `job.slot`, as of a scheduled run: ISO 8601 in UTC. Default: null, as of one that was asked for. */
  readonly slot?: string | null;
  /** Aborts the run, as its deadline would. */
  readonly signal?: AbortSignal;
}

export interface HarnessProgress {
  readonly percent: number;
  readonly note?: string;
}

export interface HarnessRun {
  readonly ok: boolean;
  /** What the handler returned, as JSON gives it back; undefined when that was nothing, or too long to keep. */
  readonly result: unknown;
  /** TASK_UNRECOVERABLE: it would not be tried again; NOT_FOUND: there is no such task. */
  readonly code: ErrorCode | undefined;
  readonly message: string | undefined;
  readonly progress: readonly HarnessProgress[];
  readonly logs: readonly string[];
}

/** @throws TypeError when the data is not JSON */
export async function runHarnessTask(
  runner: ModuleRunner,
  tasks: FakeTasks,
  name: string,
  invocation: number,
  { data = null, attempt = 1, slot = null, signal }: HarnessTask,
): Promise<HarnessRun> {
  const task = runner.declaration.tasks.find((each) => each.name === name);
  if (task === undefined) {
    const names = runner.declaration.tasks.map((each) => each.name);
    return { ...NOTHING, ok: false, code: 'NOT_FOUND', message: unknownTask(name, names) };
  }
  const problem = explainData(data);
  if (problem !== undefined) throw new TypeError(`harness.runTask("${name}"): the data is not JSON: ${problem}.`);
  const jobId = `test-run-${invocation}`;
  const request = { invocation, task: name, jobId, attempt, slot, deadline: Date.now() + task.timeout * 1000 };
  const running = runner.runTask(request, JSON.parse(JSON.stringify(data)));
  const cancel = (): void => void runner.cancel(invocation);
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const outcome = await running;
  signal?.removeEventListener('abort', cancel);
  const report = tasks.takeReport(jobId);
  if (!outcome.ok) return { ...NOTHING, ...report, ok: false, code: outcome.code, message: outcome.message };
  return { ...NOTHING, ...report, result: outcome.result === undefined ? undefined : JSON.parse(outcome.result) };
}

const NOTHING: HarnessRun = {
  ok: true,
  result: undefined,
  code: undefined,
  message: undefined,
  progress: [],
  logs: [],
};
