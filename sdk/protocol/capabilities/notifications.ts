/** `notifications`: short messages to one user, kept by the host until they are read or old. */
import { type Static, Type } from 'typebox';
import { MAX_MESSAGE, MAX_TITLE, MAX_USER_ID, NOTIFICATION_TYPES } from '../notification-limits.ts';

export const NotificationRequestSchema = Type.Object(
  {
    userId: Type.String({ minLength: 1, maxLength: MAX_USER_ID }),
    title: Type.String({ minLength: 1, maxLength: MAX_TITLE }),
    message: Type.String({ maxLength: MAX_MESSAGE }),
    type: Type.Enum(NOTIFICATION_TYPES),
  },
  { additionalProperties: false },
);
export type NotificationRequest = Static<typeof NotificationRequestSchema>;

export const NOTIFICATIONS_METHODS = {
  /** Rejects with PERMISSION_DENIED, INVALID_CALL, QUOTA_EXCEEDED or STATE_UNAVAILABLE. */
  send: {
    args: Type.Tuple([NotificationRequestSchema]),
    result: Type.Object({ id: Type.String() }, { additionalProperties: false }),
  },
} as const;
