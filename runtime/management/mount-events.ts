/** What the chat host tells, and what its users are told, for the gateway's `mount`. */
import type { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import { type EventRouteParts, eventRoutes } from './event-routes.ts';
import { type NotificationRouteParts, notificationRoutes } from './notification-routes.ts';

export type EventDoorParts = Omit<EventRouteParts & NotificationRouteParts, 'authenticate'>;

export function mountEvents(
  platform: Hono<GatewayEnv>,
  { authenticate }: GatewayTools,
  { events, notifications }: EventDoorParts,
): void {
  platform.route('/api/v1/events', eventRoutes({ authenticate, events }));
  platform.route('/api/v1/notifications', notificationRoutes({ authenticate, notifications }));
}
