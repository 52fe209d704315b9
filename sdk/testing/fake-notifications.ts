/** The notifications of a test: kept, shown to nobody. */
import type { NotificationRequest } from '../protocol/capabilities/notifications.ts';

export type SentNotification = NotificationRequest;

export interface FakeNotifications {
  readonly sent: readonly SentNotification[];
  readonly send: (request: NotificationRequest) => { id: string };
}

export function createFakeNotifications(): FakeNotifications {
  const sent: SentNotification[] = [];
  return {
    sent,
    send(request) {
      sent.push(request);
      return { id: String(sent.length) };
    },
  };
}
