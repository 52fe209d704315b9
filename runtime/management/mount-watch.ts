/** What operators look back at, and follow, for the gateway's `mount`: logs, changes, metrics, the audit trail. */
import type { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import { type AuditRouteParts, auditRoutes } from './audit-routes.ts';
import { type LifeRouteParts, lifeRoutes } from './life-routes.ts';
import { type LogRouteParts, logRoutes } from './log-routes.ts';
import { type MetricsRouteParts, metricsRoutes } from './metrics-routes.ts';
import { createStreams } from './stream-routes.ts';

export interface WatchDoorParts
  extends Pick<AuditRouteParts, 'trail'>,
    Pick<LifeRouteParts, 'life'>,
    Pick<LogRouteParts, 'logs'>,
    Pick<MetricsRouteParts, 'figures' | 'usageOf'> {
  readonly modules: Pick<ModuleDesk, 'get' | 'list'>;
}

/** Before the other routes of modules: it takes `GET modules?stream=true` from the list of them. */
export function mountWatch(
  platform: Hono<GatewayEnv>,
  { authenticate }: GatewayTools,
  { trail, life, logs, figures, usageOf, modules }: WatchDoorParts,
): void {
  const openStream = createStreams(authenticate);
  const hasModule = (name: string): boolean => modules.list().some((module) => module.name === name);
  platform.route('/api/v1/modules', lifeRoutes({ authenticate, life, openStream }));
  platform.route('/api/v1/modules', logRoutes({ authenticate, logs, hasModule, openStream }));
  platform.route('/api/v1/modules', metricsRoutes({ authenticate, modules, figures, usageOf }));
  platform.route('/api/v1/audit', auditRoutes({ authenticate, trail }));
}
