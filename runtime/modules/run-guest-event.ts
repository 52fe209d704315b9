/** Runs one handler of an event in one instance and reads how it ended. The third of invoke-guest.ts, run-guest-task.ts. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { EventOutcomeSchema, type EventRequest } from '@plexichat/sdk/protocol/events';
import { Compile } from 'typebox/compile';
import type { Instance } from '../cells/instance.ts';
import type { EventDelivery, EventDeliveryOptions } from './served-module.ts';

const checkOutcome = Compile(EventOutcomeSchema);

/** @throws PlexiError see ServedModule.runEvent */
export async function runGuestEvent(
  instance: Instance,
  { data, handler, name, source, at, id }: EventDelivery,
  { timeoutMs, onStart }: EventDeliveryOptions,
  onModuleStack: (stack: string) => void,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  onStart();
  const start = (invocation: number): [string, string] => {
    const request: EventRequest = { invocation, handler, name, source, at, id, deadline };
    return [JSON.stringify(request), data];
  };
  const outcome = await instance.invoke(start, { deadline }, undefined, 'event');
  // Boundary: what the guest answered is foreign until this line.
  if (!checkOutcome.Check(outcome)) {
    instance.session.discard((outcome as { body?: unknown } | null | undefined)?.body);
    throw new PlexiError(
      'INVALID_MODULE_RESPONSE',
      `The outcome of the event ${name} has a shape that the bridge does not know.`,
    );
  }
  if (outcome.ok) return;
  if (outcome.stack !== undefined) onModuleStack(outcome.stack);
  throw new PlexiError('MODULE_ERROR', outcome.message);
}
