/** Operators' doors below /api/v1, for the gateway's `mount`. */
import type { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import type { AuditEntry } from './audit.ts';
import { taskRoutes } from './task-routes.ts';

export interface ManagementParts {
  readonly tasks: TaskDesk;
  /** Called once for every action that an operator was let to try. */
  readonly audit: (entry: AuditEntry) => void;
}

export function mountManagement(
  platform: Hono<GatewayEnv>,
  { authenticate }: GatewayTools,
  { tasks, audit }: ManagementParts,
): void {
  platform.route('/api/v1/tasks', taskRoutes({ authenticate, tasks, audit }));
}
