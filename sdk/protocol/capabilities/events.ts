/** `events`: what a module tells others, and what it listens to at run time. */
import { type Static, Type } from 'typebox';
import { EVENT_NAME_PATTERN, EVENT_PATTERN_PATTERN, MAX_EVENT_DATA, MAX_EVENT_NAME } from '../event-names.ts';

export const EmitRequestSchema = Type.Object(
  {
    name: Type.String({ pattern: EVENT_NAME_PATTERN, maxLength: MAX_EVENT_NAME }),
    /** JSON text. */
    data: Type.String({ minLength: 1, maxLength: MAX_EVENT_DATA }),
  },
  { additionalProperties: false },
);
export type EmitRequest = Static<typeof EmitRequestSchema>;

/** The guest's own number for a subscription; deliveries name it. */
const SubscriptionIdSchema = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const SubscribeRequestSchema = Type.Object(
  {
    subscription: SubscriptionIdSchema,
    pattern: Type.String({ pattern: EVENT_PATTERN_PATTERN, maxLength: MAX_EVENT_NAME }),
  },
  { additionalProperties: false },
);
export type SubscribeRequest = Static<typeof SubscribeRequestSchema>;

export const EVENTS_METHODS = {
  /** Rejects with INVALID_CALL (no event of a module, or the chain is too long) or QUOTA_EXCEEDED. */
  emit: {
    args: Type.Tuple([EmitRequestSchema]),
    result: Type.Object({ id: Type.String(), subscribers: Type.Integer() }, { additionalProperties: false }),
  },
  /** Rejects with PERMISSION_DENIED, INVALID_CALL or QUOTA_EXCEEDED. */
  subscribe: { args: Type.Tuple([SubscribeRequestSchema]), result: Type.Unknown() },
  unsubscribe: { args: Type.Tuple([SubscriptionIdSchema]), result: Type.Unknown() },
} as const;
