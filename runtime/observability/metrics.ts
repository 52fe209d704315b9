/** Numbers for Prometheus: modules, tasks, requests, the queue and this process, in a registry of their own. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createDepthSeries, type ReadDepths } from './metrics-depths.ts';
import { createEventSeries, type EventSeries } from './metrics-events.ts';
import { createThreadMeter, createUsageSeries, type ReadUsage, type ThreadMeter } from './metrics-modules.ts';
import { createRequestMeter, type RequestMeter } from './metrics-requests.ts';
import { createRunMeter, type RunMeter } from './metrics-tasks.ts';
import { createModuleMetrics, type ModuleMetrics } from './module-metrics.ts';

export interface Metrics {
  readonly contentType: string;
  /** For the tasks room. */
  readonly taskMeter: RunMeter;
  /** For the gateway's `onAnswer`; a few hundred nanoseconds. */
  readonly meterRequest: RequestMeter;
  readonly threadMeter: ThreadMeter;
  /** For the events room. */
  readonly eventMeter: EventSeries;
  /** Of each module by itself; the meters above tell it too. */
  readonly modules: ModuleMetrics;
  /** From now on each scrape says what modules use. To be called once. */
  watchUsage(read: ReadUsage): void;
  /** From now on each scrape says how deep the queue is. To be called once. */
  watchDepths(read: ReadDepths): void;
  /** The text of one scrape. */
  scrape(): Promise<string>;
}

/** The event loop's clock: 50 looks per second show lags of interest and cost nothing that can be measured. */
const LAG_PRECISION_MS = 20;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const [runs, requests, threads] = [
    createRunMeter(registry),
    createRequestMeter(registry),
    createThreadMeter(registry),
  ];
  const modules = createModuleMetrics(registry);
  let refreshUsage = (): void => {};
  let refreshDepths = async (): Promise<void> => {};
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  return {
    contentType: registry.contentType,
    taskMeter: {
      started(module, task, waitMs) {
        runs.started(module, task, waitMs);
        modules.taskStarted(module, waitMs);
      },
      ended(module, task, outcome, runMs) {
        runs.ended(module, task, outcome, runMs);
        modules.taskEnded(module, outcome, runMs);
      },
    },
    meterRequest(answered) {
      requests(answered);
      modules.answered(answered);
    },
    threadMeter: {
      ended(module, reason) {
        threads.ended(module, reason);
        modules.threadEnded(module, reason);
      },
      replaced(module, limit) {
        threads.replaced(module, limit);
        modules.threadReplaced(module, limit);
      },
    },
    modules,
    eventMeter: createEventSeries(registry),
    watchUsage(read) {
      refreshUsage = createUsageSeries(registry, read);
    },
    watchDepths(read) {
      refreshDepths = createDepthSeries(registry, read);
    },
    async scrape() {
      await refreshDepths();
      refreshUsage();
      return registry.metrics();
    },
  };
}
