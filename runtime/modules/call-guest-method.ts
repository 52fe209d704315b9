/** Runs one method in one instance and reads its outcome: guest output to facts. The fourth of invoke-guest.ts. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MethodOutcomeSchema, type MethodRequest } from '@plexichat/sdk/protocol/methods';
import { Compile } from 'typebox/compile';
import type { Instance } from '../cells/instance.ts';
import type { MethodCall } from './served-module.ts';

const checkOutcome = Compile(MethodOutcomeSchema);

/** @throws PlexiError see ServedModule.callMethod */
export async function callGuestMethod(
  instance: Instance,
  call: MethodCall,
  signal: AbortSignal,
  onModuleStack: (stack: string) => void,
): Promise<string> {
  const { method, args, caller, user, deadline } = call;
  const start = (invocation: number): [string, string] => {
    const request: MethodRequest = { invocation, method, caller, user, deadline };
    return [JSON.stringify(request), args];
  };
  const outcome = await instance.invoke(start, call, signal, 'callMethod');
  // Boundary: what the guest answered is foreign until this line.
  if (!checkOutcome.Check(outcome)) {
    instance.session.discard((outcome as { body?: unknown } | null | undefined)?.body);
    throw new PlexiError(
      'INVALID_MODULE_RESPONSE',
      `The outcome of the method ${method} has a shape that the bridge does not know.`,
    );
  }
  if (outcome.ok) return outcome.body.text;
  if (outcome.stack !== undefined) onModuleStack(outcome.stack);
  throw new PlexiError(outcome.code, outcome.message);
}
