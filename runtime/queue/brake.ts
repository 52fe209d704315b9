/** A consumer whose backend refuses asks again at once, for ever: each refusal in a row makes it wait longer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendFactory, IQueueBackend } from 'bullmq';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5000;

export function withBrake<Connection>(
  factory: BackendFactory<IQueueBackend, Connection>,
  stop: AbortSignal,
): BackendFactory<IQueueBackend, Connection> {
  return (name, options, parts) => {
    const backend = factory(name, options, parts);
    const take = backend.moveToActive.bind(backend);
    let refusals = 0;
    backend.moveToActive = async (...call: Parameters<typeof take>) => {
      try {
        const taken = await take(...call);
        refusals = 0;
        return taken;
      } catch (error) {
        const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(refusals++, 10));
        await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
        throw error;
      }
    };
    return backend;
  };
}
