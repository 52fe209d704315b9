/** Runs a method for another module and says how it ended. Nothing in here throws. */
import { MAX_METHOD_RESULT } from '../protocol/method-limits.ts';
import type { MethodOutcome } from '../protocol/methods.ts';
import type { DeclaredMethod } from './declare.ts';
import { isHttpError } from './errors.ts';
import type { HostBinding } from './host-binding.ts';
import type { RunningMethod } from './method-context.ts';
import { toMethodText } from './method-value.ts';
import { describeFailure } from './outcome.ts';

const MAX_MESSAGE = 2000;

export async function runMethod(
  method: DeclaredMethod,
  args: unknown,
  context: RunningMethod,
  host: HostBinding,
): Promise<MethodOutcome> {
  try {
    return toOutcome(await method.run(args, context), method.name);
  } catch (error) {
    return toRefusal(error) ?? { ok: false, code: 'MODULE_ERROR', ...describeFailure(error, method.name, host) };
  }
}

function toOutcome(value: unknown, method: string): MethodOutcome {
  // What a method has nothing to say with crosses as null.
  const { text, problem } = toMethodText(value === undefined ? null : value, MAX_METHOD_RESULT);
  if (text !== undefined) return { ok: true, body: { text } };
  const message = `${method} returned a value that ${problem}`.slice(0, MAX_MESSAGE);
  return { ok: false, code: 'INVALID_MODULE_RESPONSE', message };
}

/** What the author says on purpose crosses as it is. */
function toRefusal(error: unknown): MethodOutcome | undefined {
  try {
    if (!isHttpError(error)) return undefined;
    return { ok: false, code: 'MODULE_HTTP_ERROR', message: String(error.message).slice(0, MAX_MESSAGE) };
  } catch {
    return undefined;
  }
}
