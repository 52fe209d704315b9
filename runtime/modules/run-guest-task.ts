/** Runs one task in one instance and reads its outcome: guest output to facts. The twin of invoke-guest.ts. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import { MAX_TASK_DEPTH, MAX_TASK_RESULT } from '@plexichat/sdk/protocol/task-limits';
import { TaskOutcomeSchema } from '@plexichat/sdk/protocol/tasks';
import { Compile } from 'typebox/compile';
import { type Instance, InstanceGone } from '../cells/instance.ts';
import type { TaskRun, TaskRunOptions } from './served-module.ts';

const checkOutcome = Compile(TaskOutcomeSchema);

/** @throws PlexiError see ServedModule.runTask */
export async function runGuestTask(
  instance: Instance,
  { data, ...run }: TaskRun,
  { onStart, ...limits }: TaskRunOptions,
  onModuleStack: (stack: string) => void,
): Promise<string | undefined> {
  const outcome = await instance.runTask(run, data, limits, onStart);
  // Boundary: what the guest answered is foreign until this line.
  if (!checkOutcome.Check(outcome)) {
    instance.session.discard((outcome as { body?: unknown } | null | undefined)?.body);
    throw new PlexiError(
      'INVALID_MODULE_RESPONSE',
      `The outcome of the task ${run.task} has a shape that the bridge does not know.`,
    );
  }
  if (outcome.ok) return outcome.result === undefined ? undefined : readResult(outcome.result);
  if (outcome.stack !== undefined) onModuleStack(outcome.stack);
  // A handler that was told to stop because its module ends has not failed.
  if (instance.isStopping) throw new InstanceGone(`The module was stopped while its task ${run.task} ran.`, false);
  throw new PlexiError(outcome.code, outcome.message);
}

/** Written anew, so that what is kept is JSON and nothing else; the run has succeeded in any case. */
function readResult(text: string): string | undefined {
  if (nestsDeeperThan(text, MAX_TASK_DEPTH)) return undefined;
  let result: string;
  try {
    result = JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
  // Numbers and escapes may have grown.
  return result.length > MAX_TASK_RESULT ? undefined : result;
}
