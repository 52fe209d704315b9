/** Everything that operators reach over HTTP: the management API, the metrics, the console. */

import type { Breakpoints } from '../capabilities/breakpoints.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { type Console, createConsole } from '../console/console.ts';
import type { GatewayOptions } from '../gateway/app.ts';
import { metricsRoute } from '../gateway/metrics-route.ts';
import { mountDebug } from '../management/debug-routes.ts';
import { mountManagement } from '../management/mount.ts';
import { type EventDoorParts, mountEvents } from '../management/mount-events.ts';
import { mountWatch, type WatchDoorParts } from '../management/mount-watch.ts';
import { mountTokens } from '../management/token-routes.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import type { SecretDesk } from '../modules/secret-desk.ts';
import type { SettingsDesk } from '../modules/settings-desk.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { isLoopback } from './doctor/loopback.ts';
import type { Life } from './life.ts';
import type { Logins } from './logins.ts';
import type { Watch } from './watch.ts';

export interface OperatorParts extends EventDoorParts {
  readonly desk: TaskDesk;
  readonly modules: ModuleDesk;
  readonly secrets: SecretDesk;
  readonly settings: SettingsDesk;
  /** Made when the host has cells. */
  readonly moduleLife: () => Life;
  readonly securityEvents: SecurityEvents;
  readonly logins: Logins;
  readonly breakpoints: Breakpoints;
  readonly metrics: Metrics;
  readonly watch: Watch;
  readonly usageOf: WatchDoorParts['usageOf'];
  readonly log: Logger;
}

export interface Operators extends Pick<Console, 'issueLogin'> {
  readonly mount: NonNullable<GatewayOptions['mount']>;
}

export function createOperators(
  { host, trust_proxy, metrics: settings }: HostSettings,
  parts: OperatorParts,
): Operators {
  const { desk, modules, secrets, securityEvents, metrics, watch, log } = parts;
  const { audit } = watch;
  const { tokens, failedLogins } = parts.logins;
  const operatorConsole = createConsole({
    desk,
    trustedProxies: trust_proxy ? 1 : 0,
    isLocalOnly: isLoopback(host) && !trust_proxy,
    isRevoked: (id) => tokens.isWithdrawn(id),
    onBadLink: (address) => failedLogins.tellBadLink({ address }),
    async onLogin(operator, address) {
      await watch.console.onLogin(operator, address);
      log.info({ operator: operator.sub, address, audit: true }, 'console: signed in');
    },
    begin: watch.console.begin,
    onAction: ({ sub }, action) => log.info({ operator: sub, ...action, audit: true }, 'console: queue action'),
    onError: (error, requestId) => log.error({ err: error, requestId }, 'console: request failed'),
  });
  metrics.watchDepths(() => desk.depths());
  return {
    issueLogin: (sub, permissions) => operatorConsole.issueLogin(sub, permissions),
    mount(platform, tools) {
      platform.route('/', metricsRoute(metrics, tools.authenticate, settings.public));
      mountWatch(platform, tools, { ...watch, modules, figures: metrics.modules, usageOf: parts.usageOf });
      mountManagement(platform, tools, {
        tasks: desk,
        modules,
        secrets,
        settings: parts.settings,
        life: parts.moduleLife,
        securityEvents,
        audit,
      });
      mountTokens(platform, tools, { tokens, audit });
      mountDebug(platform, tools, { breakpoints: parts.breakpoints, audit });
      mountEvents(platform, tools, parts);
      operatorConsole.mount(platform, tools);
    },
  };
}
