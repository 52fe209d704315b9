import type { NotificationType } from '@plexichat/sdk/protocol/notification-limits';

/** As its user sees it. */
export interface Notification {
  /** Grows with time. */
  readonly id: string;
  /** Which module says so: the host's word. */
  readonly module: string;
  readonly type: NotificationType;
  readonly title: string;
  readonly message: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Null: not yet. */
  readonly read_at: string | null;
}
