/** A deadline for what the queue does on somebody's behalf. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { answerWithin } from '../queue/answer-within.ts';
import { queueAway } from './queue-door.ts';

/** @throws PlexiError QUEUE_UNAVAILABLE for everything that goes wrong on the queue's side, and when it takes too long */
export async function within<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await answerWithin(work(), milliseconds);
  } catch (error) {
    throw error instanceof PlexiError ? error : queueAway(error);
  }
}
