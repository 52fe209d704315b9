/** Everything that operators reach over HTTP: the management API, the metrics, the console. */

import type { Breakpoints } from '../capabilities/breakpoints.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { type Console, createConsole } from '../console/console.ts';
import type { GatewayOptions } from '../gateway/app.ts';
import { metricsRoute } from '../gateway/metrics-route.ts';
import type { AuditEntry } from '../management/audit.ts';
import { mountDebug } from '../management/debug-routes.ts';
import { mountManagement } from '../management/mount.ts';
import { type EventDoorParts, mountEvents } from '../management/mount-events.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import type { SecretDesk } from '../modules/secret-desk.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { isLoopback } from './doctor/loopback.ts';

export interface OperatorParts extends EventDoorParts {
  readonly desk: TaskDesk;
  readonly modules: ModuleDesk;
  readonly secrets: SecretDesk;
  readonly securityEvents: SecurityEvents;
  readonly breakpoints: Breakpoints;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface Operators extends Pick<Console, 'issueLogin'> {
  readonly mount: NonNullable<GatewayOptions['mount']>;
}

export function createOperators(
  { host, trust_proxy, metrics: settings }: HostSettings,
  parts: OperatorParts,
): Operators {
  const { desk, modules, secrets, securityEvents, metrics, log } = parts;
  const operatorConsole = createConsole({
    desk,
    trustedProxies: trust_proxy ? 1 : 0,
    isLocalOnly: isLoopback(host) && !trust_proxy,
    onLogin: ({ sub }, address) => log.info({ operator: sub, address, audit: true }, 'console: signed in'),
    onAction: ({ sub }, action) => log.info({ operator: sub, ...action, audit: true }, 'console: queue action'),
    onError: (error, requestId) => log.error({ err: error, requestId }, 'console: request failed'),
  });
  const audit = (entry: AuditEntry): void => log.info({ ...entry, audit: true }, 'operator action');
  metrics.watchDepths(() => desk.depths());
  return {
    issueLogin: (sub, permissions) => operatorConsole.issueLogin(sub, permissions),
    mount(platform, tools) {
      platform.route('/', metricsRoute(metrics, tools.authenticate, settings.public));
      mountManagement(platform, tools, {
        tasks: desk,
        modules,
        secrets,
        securityEvents,
        audit,
      });
      mountDebug(platform, tools, { breakpoints: parts.breakpoints, audit });
      mountEvents(platform, tools, parts);
      operatorConsole.mount(platform, tools);
    },
  };
}
