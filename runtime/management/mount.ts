/** Operators' doors below /api/v1, for the gateway's `mount`. */
import type { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import type { SecretDesk } from '../modules/secret-desk.ts';
import type { SettingsDesk } from '../modules/settings-desk.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import type { Audit } from './audit.ts';
import { type LifeDesks, moduleLifeRoutes } from './module-life-routes.ts';
import { moduleRoutes } from './module-routes.ts';
import { moduleSecretRoutes, vaultRoutes } from './secret-routes.ts';
import { securityEventRoutes } from './security-event-routes.ts';
import { settingsRoutes } from './settings-routes.ts';
import { taskRoutes } from './task-routes.ts';

export interface ManagementParts {
  readonly tasks: TaskDesk;
  readonly modules: ModuleDesk;
  readonly secrets: SecretDesk;
  readonly settings: SettingsDesk;
  readonly life: () => LifeDesks;
  readonly securityEvents: Pick<SecurityEvents, 'list'>;
  /** Called once for every action that an operator was let to try. */
  readonly audit: Audit;
}

export function mountManagement(
  platform: Hono<GatewayEnv>,
  { authenticate }: GatewayTools,
  { tasks, modules, secrets, settings, life, securityEvents, audit }: ManagementParts,
): void {
  platform.route('/api/v1/tasks', taskRoutes({ authenticate, tasks, audit }));
  // First: one of its methods is on a path of the others, which refuse all but theirs.
  platform.route('/api/v1/modules', moduleLifeRoutes({ authenticate, modules, life, audit }));
  platform.route('/api/v1/modules', moduleRoutes({ authenticate, modules, audit }));
  platform.route('/api/v1/modules', moduleSecretRoutes({ authenticate, secrets, audit }));
  platform.route('/api/v1/modules', settingsRoutes({ authenticate, settings, audit }));
  platform.route('/api/v1/secrets', vaultRoutes({ authenticate, secrets, audit }));
  platform.route('/api/v1/security-events', securityEventRoutes({ authenticate, securityEvents }));
}
