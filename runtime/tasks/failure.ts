/** What an attempt that did not succeed means for its run. One table; the queue is told in run-job.ts. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { InstanceGone } from '../cells/instance.ts';
import { storable } from './stored-text.ts';
import type { TaskEnd } from './task-desk.ts';

export type Verdict =
  /** The handler was not started, or its thread went away under it: the same attempt again, later. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly isInterruption: boolean; readonly isCrash: boolean }
  /** The attempt failed; another follows if the declaration allows one. */
  | { readonly kind: 'failed'; readonly isFinal: boolean; readonly reason: string; readonly end: TaskEnd };

/** So often is a run started again because its thread or its cell went away; then it counts as failed. */
export const MAX_CRASHES = 3;
/** The same when the module was in company: a neighbour may have brought the cell down. */
const MAX_INNOCENT_CRASHES = 10;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
const MAX_REASON = 2_000;

/** @param crashes how often its thread, its cell or the host's own code failed under this run before */
export function judge(error: unknown, crashes: number): Verdict {
  if (error instanceof InstanceGone) {
    if (crashes < (error.likelyCause ? MAX_CRASHES : MAX_INNOCENT_CRASHES)) return crashed(crashes);
    return failed('MODULE_CRASHED', `${error.message} It was started again ${crashes} times before.`, false, 'failed');
  }
  if (!(error instanceof PlexiError)) {
    if (crashes < MAX_CRASHES) return crashed(crashes);
    return failed('INTERNAL', 'The host failed at running it.', false, 'failed');
  }
  switch (error.code) {
    case 'MODULE_UNAVAILABLE':
    case 'MODULE_OVERLOADED':
      return { kind: 'again', afterMs: retryAfterMs(error), isInterruption: false, isCrash: false };
    case 'CLIENT_CLOSED':
      // The host is going down: whoever comes next takes it.
      return { kind: 'again', afterMs: 0, isInterruption: true, isCrash: false };
    case 'TASK_TIMEOUT':
      return failed(error.code, error.message, false, 'timeout');
    case 'TASK_UNRECOVERABLE':
      return failed(error.code, error.message, true, 'failed');
    default:
      return failed(error.code, error.message, false, 'failed');
  }
}

function crashed(crashes: number): Verdict {
  const afterMs = Math.min(FIRST_PAUSE_MS * 2 ** crashes, LONGEST_PAUSE_MS);
  return { kind: 'again', afterMs, isInterruption: true, isCrash: true };
}

function failed(code: string, message: string, isFinal: boolean, end: TaskEnd): Verdict {
  return { kind: 'failed', isFinal, reason: `${code}: ${storable(message, MAX_REASON)}`, end };
}

function retryAfterMs({ headers }: PlexiError): number {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : 1_000;
}

/** The two halves of what `judge` wrote as the reason of a failure. */
export function readReason(reason: string): { code: string; message: string } {
  const [, code = 'INTERNAL', message = reason] = /^([A-Z_]{3,40}): ([\s\S]*)$/.exec(reason) ?? [];
  return { code, message };
}
