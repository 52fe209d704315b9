/** Everything that operators reach over HTTP: the management API, the metrics, the console. */
import type { HostSettings } from '../config/settings-schema.ts';
import { type Console, createConsole } from '../console/console.ts';
import type { GatewayOptions } from '../gateway/app.ts';
import { metricsRoute } from '../gateway/metrics-route.ts';
import { mountManagement } from '../management/mount.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { isLoopback } from './doctor/loopback.ts';

export interface OperatorParts {
  readonly desk: TaskDesk;
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
  const { desk, metrics, log } = parts;
  const operatorConsole = createConsole({
    desk,
    trustedProxies: trust_proxy ? 1 : 0,
    isLocalOnly: isLoopback(host) && !trust_proxy,
    onLogin: ({ sub }, address) => log.info({ operator: sub, address, audit: true }, 'console: signed in'),
    onAction: ({ sub }, action) => log.info({ operator: sub, ...action, audit: true }, 'console: queue action'),
    onError: (error, requestId) => log.error({ err: error, requestId }, 'console: request failed'),
  });
  metrics.watchDepths(() => desk.depths());
  return {
    issueLogin: (sub, permissions) => operatorConsole.issueLogin(sub, permissions),
    mount(platform, tools) {
      platform.route('/', metricsRoute(metrics, tools.authenticate, settings.public));
      mountManagement(platform, tools, {
        tasks: desk,
        audit: (entry) => log.info({ ...entry, audit: true }, 'operator action'),
      });
      operatorConsole.mount(platform, tools);
    },
  };
}
