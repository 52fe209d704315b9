/**
 * The words of runs on their way to the host: at once when it is quiet, else what has gathered every tenth of a second,
 * so that a handler which reports in a loop spends none of its module's calls.
 */
import type { TaskReport } from '@plexichat/sdk/module/host-binding';
import { MAX_TASK_LINES } from '@plexichat/sdk/protocol/task-limits';
import type { Timers } from './timers.ts';

type Call = (capability: string, method: string, args: readonly unknown[]) => Promise<unknown>;

const EVERY_MS = 100;
/** Lines that wait; more are dropped and counted. */
const MAX_WAITING_LINES = 200;

export function createTaskReports(call: Call, timers: Timers): (jobId: string) => TaskReport {
  // A word that the host refuses (quota, a run that is over) has no other place to go: it is counted there.
  const send = (method: string, ...args: unknown[]): void => void call('tasks', method, args).then(undefined, () => {});
  return (jobId) => openReport(jobId, send, timers);
}

function openReport(jobId: string, send: (method: string, ...args: unknown[]) => void, timers: Timers): TaskReport {
  let progress: readonly unknown[] | undefined;
  let lines: string[] = [];
  let dropped = 0;
  let pause: number | undefined;
  let closed = false;

  const flush = (): void => {
    if (progress !== undefined) send('progress', jobId, ...progress);
    progress = undefined;
    if (dropped > 0) lines[lines.length] = `${dropped} lines were dropped: too many at once.`;
    for (let first = 0; first < lines.length; first += MAX_TASK_LINES) {
      send('log', jobId, lines.slice(first, first + MAX_TASK_LINES));
    }
    lines = [];
    dropped = 0;
  };
  const resume = (): void => {
    pause = undefined;
    if (progress !== undefined || lines.length > 0) flushAndPause();
  };
  const flushAndPause = (): void => {
    flush();
    try {
      pause = timers.setTimeout(resume, EVERY_MS);
    } catch {
      // The module has every timer that it may have: then each word goes by itself.
    }
  };
  const touch = (): void => {
    if (pause === undefined) flushAndPause();
  };

  return {
    progress(percent, note) {
      if (closed) return;
      progress = note === undefined ? [percent] : [percent, note];
      touch();
    },
    log(line) {
      if (closed) return;
      if (lines.length < MAX_WAITING_LINES) lines[lines.length] = line;
      else dropped += 1;
      touch();
    },
    close() {
      if (closed) return;
      closed = true;
      timers.clearTimeout(pause);
      flush();
    },
  };
}
