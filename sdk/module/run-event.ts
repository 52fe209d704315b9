/** Runs the handler of one event and says how it ended. Nothing in here throws. */
import type { EventOutcome } from '../protocol/events.ts';
import type { EventHandler, RunningEvent } from './event-context.ts';
import type { HostBinding } from './host-binding.ts';
import { describeFailure } from './outcome.ts';

/** @param name `Greeter.onLogin`, for messages */
export async function runEvent(
  handler: EventHandler,
  event: RunningEvent,
  name: string,
  host: HostBinding,
): Promise<EventOutcome> {
  try {
    await handler(event.data, event);
    return { ok: true };
  } catch (error) {
    return { ok: false, ...describeFailure(error, name, host) };
  }
}
