/** Runs the handler of one task and says how it ended. Nothing in here throws. */
import { nestsDeeperThan } from '../protocol/json-depth.ts';
import { MAX_TASK_DEPTH, MAX_TASK_RESULT } from '../protocol/task-limits.ts';
import type { TaskOutcome } from '../protocol/tasks.ts';
import type { DeclaredTask } from './declare.ts';
import { isUnrecoverableError } from './errors.ts';
import { explainJson } from './explain-json.ts';
import type { HostBinding } from './host-binding.ts';
import { describeFailure, messageOf } from './outcome.ts';
import type { RunningTask } from './task-context.ts';

const { stringify } = JSON;

/** @param done called when the handler has settled, before the outcome leaves */
export async function runTask(
  task: DeclaredTask,
  context: RunningTask,
  host: HostBinding,
  done: () => void,
): Promise<TaskOutcome> {
  let outcome: TaskOutcome;
  try {
    outcome = succeed(await task.run(context), task.name, host);
  } catch (error) {
    const code = isUnrecoverableError(error) ? 'TASK_UNRECOVERABLE' : 'MODULE_ERROR';
    outcome = { ok: false, code, ...describeFailure(error, task.name, host) };
  }
  done();
  // The words of the run leave before its outcome, so that nothing is said of a run that is over.
  context.finish();
  return outcome;
}

/** The work is done: a result that cannot be kept must not have it done again. */
function succeed(value: unknown, handler: string, host: HostBinding): TaskOutcome {
  if (value === undefined) return { ok: true };
  const { text, problem } = toText(value);
  if (text !== undefined) return { ok: true, result: text };
  host.log('warn', `${handler} returned ${problem}; the run has no result.`);
  return { ok: true };
}

function toText(value: unknown): { readonly text?: string; readonly problem?: string } {
  try {
    const text = stringify(value);
    if (text === undefined) return { problem: `a ${typeof value}, which is not JSON` };
    if (text.length > MAX_TASK_RESULT) {
      return { problem: `${text.length} characters of JSON, at most ${MAX_TASK_RESULT} are kept` };
    }
    if (nestsDeeperThan(text, MAX_TASK_DEPTH)) {
      return { problem: `a value that nests deeper than ${MAX_TASK_DEPTH} levels` };
    }
    return { text };
  } catch (error) {
    return { problem: explainJson(value) ?? `what cannot be written as JSON (${messageOf(error)})` };
  }
}
