/** `/api/v1/modules/:name/metrics`: what a module did and what it costs. */
import { Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { ServedModule } from '../modules/served-module.ts';
import type { ModuleUsage } from '../observability/metrics-modules.ts';
import type { ModuleMetrics } from '../observability/module-metrics.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { readModuleName } from './module-input.ts';
import { limitOperators } from './operator-rate.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseQuery } from './task-input.ts';

export interface MetricsRouteParts {
  readonly authenticate: Authenticate;
  /** @throws PlexiError NOT_FOUND */
  readonly modules: { get(name: string): ServedModule };
  readonly figures: Pick<ModuleMetrics, 'read'>;
  /** undefined when nothing of it can run. */
  readonly usageOf: (name: string) => ModuleUsage | undefined;
}

/** Per minute and operator. */
const READS = 600;
const MB = 1024 * 1024;
const NO_USAGE = { threads: 0, cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0, calls: 0, bytes: 0, lines: 0 };

/** Below /api/v1/modules. */
export function metricsRoutes({ authenticate, modules, figures, usageOf }: MetricsRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;

  routes.get('/:name/metrics', ...mayRead, (context) => {
    refuseQuery(context.req.url);
    const { name, version, state, underWay } = modules.get(readModuleName(context.req.param('name')));
    const used = usageOf(name) ?? NO_USAGE;
    const { requests, ...rest } = figures.read(name);
    return context.json({ module: name, version, state, under_way: underWay, requests, usage: view(used), ...rest });
  });

  routes.all('/:name/metrics', ...mayRead, () => refuseMethod('GET, HEAD'));
  return routes;
}

function view({ threads, cpuMs, heapBytes, externalBytes, delayMs, calls, bytes, lines }: ModuleUsage) {
  return {
    threads,
    cpu_ms: Math.round(cpuMs),
    memory_mb: Math.round(((heapBytes + externalBytes) / MB) * 10) / 10,
    event_loop_delay_ms: Math.round(delayMs * 10) / 10,
    host_calls: calls,
    bridge_bytes: bytes,
    log_lines: lines,
  };
}
