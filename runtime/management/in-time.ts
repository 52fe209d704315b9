import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** Time for an embedded queue's first start, and less than any client of ours waits. */
const QUEUE_MS = 12_000;

/** @throws PlexiError QUEUE_UNAVAILABLE when the queue does not answer in time, and whatever the work throws */
export function inTime<Outcome>(work: Promise<Outcome>, timeoutMs = QUEUE_MS): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `The task queue did not answer within ${timeoutMs / 1000} s; what was asked for may still happen.`;
      reject(new PlexiError('QUEUE_UNAVAILABLE', message));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
