/** A deadline for what the queue does on somebody's behalf. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { queueAway } from './queue-door.ts';

/** @throws PlexiError QUEUE_UNAVAILABLE for everything that goes wrong on the queue's side, and when it takes too long */
export async function within<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(queueAway()), milliseconds);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw error instanceof PlexiError ? error : queueAway(error);
  } finally {
    clearTimeout(timer);
  }
}
