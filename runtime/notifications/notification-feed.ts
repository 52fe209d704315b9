/** Who waits for notifications right now: open streams, bounded for each user and in all. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Notification } from './notification.ts';

export interface FeedListener {
  readonly onNotification: (notification: Notification) => void;
  /** The host ends. */
  readonly onEnd: () => void;
}

export interface FeedLimits {
  readonly perUser: number;
  readonly total: number;
}

export class NotificationFeed {
  readonly #limits: FeedLimits;
  readonly #listeners = new Map<string, Set<FeedListener>>();
  #size = 0;
  #isClosed = false;

  constructor(limits: FeedLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns stops listening. @throws PlexiError RATE_LIMITED, HOST_SHEDDING */
  listen(userId: string, listener: FeedListener): () => void {
    const listeners = this.#listeners.get(userId) ?? new Set<FeedListener>();
    if (this.#isClosed || this.#size >= this.#limits.total) {
      const message = this.#isClosed ? 'The host is being stopped.' : 'Too many streams of notifications are open.';
      throw new PlexiError('HOST_SHEDDING', message, { headers: { 'retry-after': '10' } });
    }
    if (listeners.size >= this.#limits.perUser) {
      const message = `At most ${this.#limits.perUser} streams of notifications may be open for one user; close one.`;
      throw new PlexiError('RATE_LIMITED', message, { headers: { 'retry-after': '10' } });
    }
    this.#listeners.set(userId, listeners.add(listener));
    this.#size += 1;
    return () => {
      if (!listeners.delete(listener)) return;
      this.#size -= 1;
      if (listeners.size === 0 && this.#listeners.get(userId) === listeners) this.#listeners.delete(userId);
    };
  }

  tell(userId: string, notification: Notification): void {
    for (const { onNotification } of [...(this.#listeners.get(userId) ?? [])]) onNotification(notification);
  }

  close(): void {
    this.#isClosed = true;
    for (const listeners of [...this.#listeners.values()]) for (const { onEnd } of [...listeners]) onEnd();
  }
}
