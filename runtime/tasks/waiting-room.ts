/**
 * Bounds what one module may leave in the queue: runs that wait, and runs that have ended. The queue is asked at most
 * once a second; adds in between are counted.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Queue } from 'bullmq';

export interface WaitingRoomOptions {
  /** Runs of one module that may wait, over all of its queues. */
  readonly maxWaiting: number;
  /** Ended runs that one queue keeps; the oldest go. */
  readonly maxEnded: number;
  readonly now: () => number;
  readonly onFailure: (queue: string, error: unknown) => void;
}

const FRESH_MS = 1_000;
/** Ended runs are removed in heaps of at least this share: every removal costs the queue a pause. */
const HEAP = 0.2;
const LARGEST_HEAP = 5_000;

export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  /** By module. */
  readonly #counts = new Map<string, { readonly at: number; count: number }>();

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  /** @throws PlexiError QUOTA_EXCEEDED */
  async enter(module: string, queues: readonly Queue[]): Promise<void> {
    const { maxWaiting, now } = this.#options;
    const known = this.#counts.get(module);
    const fresh = known !== undefined && now() - known.at < FRESH_MS ? known : await this.#count(module, queues);
    if (fresh.count >= maxWaiting) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `${fresh.count} runs of ${module} wait already; ${maxWaiting} are allowed.`,
        {
          headers: { 'retry-after': '5' },
        },
      );
    }
    fresh.count += 1;
  }

  /** Removes the oldest ended runs of a queue that keeps too many. */
  async tidy(queue: Queue): Promise<void> {
    const counts = await queue.getJobCounts('completed', 'failed');
    await this.#removeEnded(queue, counts);
  }

  async #count(module: string, queues: readonly Queue[]): Promise<{ count: number }> {
    let count = 0;
    for (const queue of queues) {
      const {
        completed = 0,
        failed = 0,
        ...waiting
      } = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'completed', 'failed');
      for (const each of Object.values(waiting)) count += each;
      this.#removeEnded(queue, { completed, failed }).catch((error: unknown) =>
        this.#options.onFailure(queue.name, error),
      );
    }
    const entry = { at: this.#options.now(), count };
    this.#counts.set(module, entry);
    return entry;
  }

  async #removeEnded(queue: Queue, counts: Readonly<Record<string, number>>): Promise<void> {
    const { maxEnded } = this.#options;
    for (const state of ['completed', 'failed'] as const) {
      const surplus = (counts[state] ?? 0) - maxEnded;
      if (surplus > maxEnded * HEAP) await queue.clean(0, Math.min(surplus, LARGEST_HEAP), state);
    }
  }
}
