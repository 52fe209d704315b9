/** What a notification may be, for both sides; without a schema library, since the guest needs it too. */
export const NOTIFICATION_TYPES = ['info', 'success', 'warning', 'error'] as const;
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

export const MAX_USER_ID = 256;
/** Characters. */
export const MAX_TITLE = 200;
export const MAX_MESSAGE = 4_000;
