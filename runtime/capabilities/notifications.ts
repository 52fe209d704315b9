/** What a module may do with notifications: send them, with `notifications:send`. */
import { NOTIFICATIONS_METHODS, type NotificationRequest } from '@plexichat/sdk/protocol/capabilities/notifications';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_MESSAGE, MAX_TITLE, MAX_USER_ID, NOTIFICATION_TYPES } from '@plexichat/sdk/protocol/notification-limits';
import { Compile } from 'typebox/compile';
import { storableText } from '../queue/storable.ts';
import type { Capability } from './capability.ts';
import type { PermissionGate } from './permission-gate.ts';

export interface NotificationPort {
  /** Resolves when it is kept. @throws PlexiError QUOTA_EXCEEDED, STATE_UNAVAILABLE */
  send(module: string, notification: NotificationRequest): Promise<{ readonly id: string }>;
}

const checkSend = Compile(NOTIFICATIONS_METHODS.send.args);
/** Of one instance: each waits for the disk. */
const MAX_AT_ONCE = 100;

export function createNotificationsCapability(port: NotificationPort, gate: PermissionGate): Capability {
  return ({ module }) => {
    let underWay = 0;
    return {
      async send(...args) {
        gate.require(module, { capability: 'notifications' }, 'Sending a notification');
        if (!checkSend.Check(args)) throw new PlexiError('INVALID_CALL', SEND_TAKES);
        const [{ userId, title, message, type }] = args;
        if (underWay >= MAX_AT_ONCE) {
          throw new PlexiError('QUOTA_EXCEEDED', `notifications.send: at most ${MAX_AT_ONCE} at once.`);
        }
        underWay += 1;
        try {
          // Half a character, or NUL, is no text that a database takes; a user id with one is nobody's.
          const words = { title: storableText(title), message: storableText(message), type };
          const { id } = await port.send(module, { userId: storableText(userId), ...words });
          return { id };
        } finally {
          underWay -= 1;
        }
      },
    };
  };
}

const SEND_TAKES = `notifications.send takes { userId, title, message, type }: texts of 1 to ${MAX_USER_ID}, 1 to ${MAX_TITLE} and 0 to ${MAX_MESSAGE} characters, and one of ${NOTIFICATION_TYPES.join(', ')}.`;
