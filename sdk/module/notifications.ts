/** Notifications as a free function, for code of a module that is not its class. */
import { type NotificationInput, sendNotificationBy } from '../capabilities/notifications.ts';
import { activeHost } from './active-host.ts';

/**
 * Leaves a message for one user, who finds it in the chat until it is read or old. Needs the permission
 * `notifications:send`. Resolves when the host has kept it.
 * @throws TypeError when something of it is not allowed; PermissionDeniedError; an Error with code QUOTA_EXCEEDED when the
 *   module sends too many a minute, STATE_UNAVAILABLE when the host cannot keep it just now
 * @example
 * await sendNotification({ userId: user.id, title: 'Your export is ready', type: 'success' });
 */
export async function sendNotification(input: NotificationInput): Promise<{ id: string }> {
  return sendNotificationBy(activeHost('sendNotification'), input);
}
