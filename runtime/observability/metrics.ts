/** Numbers for Prometheus: modules, tasks, requests, the queue and this process, in a registry of their own. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createDepthSeries, type ReadDepths } from './metrics-depths.ts';
import { createEventSeries, type EventSeries } from './metrics-events.ts';
import { createThreadMeter, createUsageSeries, type ReadUsage, type ThreadMeter } from './metrics-modules.ts';
import { createRequestMeter, type RequestMeter } from './metrics-requests.ts';
import { createRunMeter, type RunMeter } from './metrics-tasks.ts';

export interface Metrics {
  readonly contentType: string;
  /** For the tasks room. */
  readonly taskMeter: RunMeter;
  /** For the gateway's `onAnswer`; a few hundred nanoseconds. */
  readonly meterRequest: RequestMeter;
  readonly threadMeter: ThreadMeter;
  /** For the events room. */
  readonly eventMeter: EventSeries;
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
  let refreshUsage = (): void => {};
  let refreshDepths = async (): Promise<void> => {};
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  return {
    contentType: registry.contentType,
    taskMeter: createRunMeter(registry),
    meterRequest: createRequestMeter(registry),
    threadMeter: createThreadMeter(registry),
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
