/** The guest's side of `notifications`. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { NotificationRequest } from '../protocol/capabilities/notifications.ts';
import {
  MAX_MESSAGE,
  MAX_TITLE,
  MAX_USER_ID,
  NOTIFICATION_TYPES,
  type NotificationType,
} from '../protocol/notification-limits.ts';

export interface NotificationInput {
  /** `sub` of the user's token. */
  readonly userId: string;
  /** One line, at most 200 characters. */
  readonly title: string;
  /** Plain text, at most 4,000 characters. Default: none. */
  readonly message?: string;
  /** Default: info. */
  readonly type?: NotificationType;
}

const KEYS: Readonly<Record<keyof NotificationInput, true>> = { userId: true, title: true, message: true, type: true };
const EXAMPLE = '{ userId, title: "Welcome back", message: "…", type: "info" }';

/** @throws TypeError, and what the host refuses as the class that an author catches */
export async function sendNotificationBy(host: HostBinding, input: NotificationInput): Promise<{ id: string }> {
  const request = readInput(input);
  try {
    return (await host.call('notifications', 'send', [request])) as { id: string };
  } catch (error) {
    throw toAuthorError(error);
  }
}

function readInput(input: unknown): NotificationRequest {
  if (typeof input !== 'object' || input === null) {
    throw new TypeError(`sendNotification takes an object such as ${EXAMPLE}, found ${describeValue(input)}.`);
  }
  for (const key of Object.keys(input)) {
    if (Object.hasOwn(KEYS, key)) continue;
    throw new TypeError(`sendNotification: there is no "${key}"; allowed are ${Object.keys(KEYS).join(', ')}.`);
  }
  const { userId, title, message = '', type = 'info' } = input as Partial<NotificationInput>;
  return {
    userId: checkText('userId', userId, 1, MAX_USER_ID),
    title: checkText('title', title, 1, MAX_TITLE),
    message: checkText('message', message, 0, MAX_MESSAGE),
    type: checkType(type),
  };
}

function checkText(key: string, value: unknown, min: number, max: number): string {
  if (typeof value === 'string' && value.length >= min && value.length <= max) return value;
  const found = typeof value === 'string' && value.length > max ? `${value.length}` : describeValue(value);
  throw new TypeError(`sendNotification: ${key} must be a text of ${min} to ${max} characters, found ${found}.`);
}

function checkType(type: unknown): NotificationType {
  const known = NOTIFICATION_TYPES.find((one) => one === type);
  if (known !== undefined) return known;
  const allowed = NOTIFICATION_TYPES.map((one) => `"${one}"`).join(', ');
  throw new TypeError(`sendNotification: type must be one of ${allowed}, found ${describeValue(type)}.`);
}
