/** Bounds how many runs of a module may wait. The queue is asked at most once a second; adds in between are counted. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Queue } from 'bullmq';

const FRESH_MS = 1_000;

export class WaitingRoom {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, { at: number; count: number }>();

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** @throws PlexiError QUOTA_EXCEEDED */
  async enter(queue: Queue): Promise<void> {
    const known = this.#counts.get(queue.name);
    const fresh = known !== undefined && this.#now() - known.at < FRESH_MS ? known : await this.#count(queue);
    if (fresh.count >= this.#limit) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `${fresh.count} runs wait in the queue ${queue.name} already; ${this.#limit} are allowed.`,
        { headers: { 'retry-after': '5' } },
      );
    }
    fresh.count += 1;
  }

  async #count(queue: Queue): Promise<{ at: number; count: number }> {
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed');
    const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
    const entry = { at: this.#now(), count };
    this.#counts.set(queue.name, entry);
    return entry;
  }
}
