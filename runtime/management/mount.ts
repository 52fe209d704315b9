/** Operators' doors below /api/v1, for the gateway's `mount`. */
import type { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import type { SecretDesk } from '../modules/secret-desk.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import type { AuditEntry } from './audit.ts';
import { moduleRoutes } from './module-routes.ts';
import { moduleSecretRoutes, vaultRoutes } from './secret-routes.ts';
import { securityEventRoutes } from './security-event-routes.ts';
import { taskRoutes } from './task-routes.ts';

export interface ManagementParts {
  readonly tasks: TaskDesk;
  readonly modules: ModuleDesk;
  readonly secrets: SecretDesk;
  readonly securityEvents: Pick<SecurityEvents, 'list'>;
  /** Called once for every action that an operator was let to try. */
  readonly audit: (entry: AuditEntry) => void;
}

export function mountManagement(
  platform: Hono<GatewayEnv>,
  { authenticate }: GatewayTools,
  { tasks, modules, secrets, securityEvents, audit }: ManagementParts,
): void {
  platform.route('/api/v1/tasks', taskRoutes({ authenticate, tasks, audit }));
  platform.route('/api/v1/modules', moduleRoutes({ authenticate, modules, audit }));
  platform.route('/api/v1/modules', moduleSecretRoutes({ authenticate, secrets, audit }));
  platform.route('/api/v1/secrets', vaultRoutes({ authenticate, secrets, audit }));
  platform.route('/api/v1/security-events', securityEventRoutes({ authenticate, securityEvents }));
}
