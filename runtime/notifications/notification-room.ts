/** Messages of modules to users: taken at a bounded rate, kept, and shown to those who look or wait for them. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { NotificationType } from '@plexichat/sdk/protocol/notification-limits';
import { ModuleRate } from '../capabilities/module-rate.ts';
import type { State } from '../state/state.ts';
import type { Notification } from './notification.ts';
import { type FeedListener, NotificationFeed } from './notification-feed.ts';
import { type NotificationQuery, NotificationStore } from './notification-store.ts';

export interface NotificationSettings {
  /** Of one module. */
  readonly perMinute: number;
  readonly keepPerUser: number;
  readonly keepMs: number;
  readonly streamsPerUser: number;
}

export interface NotificationInput {
  readonly userId: string;
  readonly title: string;
  readonly message: string;
  readonly type: NotificationType;
}

export interface NotificationPage {
  readonly notifications: readonly Notification[];
  /** Ask for those `before` it; null when there are no more. */
  readonly next: string | null;
  /** Of all, not of this page. */
  readonly unread: number;
}

/** Of what one user keeps, one module has a fifth. */
const SHARE = 5;
const PER_MODULE = 20_000;
const MAX_STREAMS = 1_000;

export class NotificationRoom {
  readonly #settings: NotificationSettings;
  readonly #store: NotificationStore;
  readonly #feed: NotificationFeed;
  readonly #rate: ModuleRate;

  constructor(state: State, settings: NotificationSettings, now?: () => number) {
    const { keepPerUser, keepMs, streamsPerUser, perMinute } = settings;
    const perUserAndModule = Math.max(1, Math.floor(keepPerUser / SHARE));
    this.#settings = settings;
    this.#store = new NotificationStore(
      state,
      { perUser: keepPerUser, perUserAndModule, perModule: PER_MODULE, keepMs },
      now,
    );
    this.#feed = new NotificationFeed({ perUser: streamsPerUser, total: MAX_STREAMS });
    this.#rate = new ModuleRate(perMinute, 60_000);
  }

  /** Resolves when it is kept. @throws PlexiError QUOTA_EXCEEDED, STATE_UNAVAILABLE */
  async send(module: string, { userId, ...words }: NotificationInput): Promise<{ id: string }> {
    if (!this.#rate.admit(module)) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `notifications.send: at most ${this.#settings.perMinute} notifications a minute.`,
      );
    }
    const notification = await this.#store.add(userId, { module, ...words });
    this.#feed.tell(userId, notification);
    return { id: notification.id };
  }

  /** Boundary: only what is the user's own. @throws PlexiError STATE_UNAVAILABLE */
  async list(userId: string, query: NotificationQuery): Promise<NotificationPage> {
    const [found, unread] = await Promise.all([
      this.#store.list(userId, { ...query, limit: query.limit + 1 }),
      this.#store.countUnread(userId),
    ]);
    const notifications = found.slice(0, query.limit);
    return { notifications, next: found.length > query.limit ? (notifications.at(-1)?.id ?? null) : null, unread };
  }

  since(userId: string, id: number): Promise<readonly Notification[]> {
    return this.#store.since(userId, id);
  }

  /** @throws PlexiError NOT_FOUND, STATE_UNAVAILABLE */
  async markRead(userId: string, id: number): Promise<{ id: string; read_at: string }> {
    const readAt = await this.#store.markRead(userId, id);
    if (readAt === undefined) throw new PlexiError('NOT_FOUND', 'You have no notification with this id.');
    return { id: String(id), read_at: readAt };
  }

  /** What is kept for the user from now on. @returns stops listening. @throws PlexiError RATE_LIMITED, HOST_SHEDDING */
  listen(userId: string, listener: FeedListener): () => void {
    return this.#feed.listen(userId, listener);
  }

  /** Ends the streams; they would hold up the end of the host. */
  close(): void {
    this.#feed.close();
  }
}
