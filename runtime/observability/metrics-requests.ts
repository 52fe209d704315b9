/** What requests to modules add up to. On the hot path: a look in a map, then counters that are already resolved. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { boundedByKey, OTHER } from './metrics-bound.ts';

/** The part of the gateway's `Answered` that is counted here. */
export interface AnsweredRequest {
  readonly module: string | undefined;
  readonly status: number;
  readonly durationMs: number;
  /** Present when it was refused or failed. */
  readonly error?: unknown;
}

export type RequestMeter = (answered: AnsweredRequest) => void;

/** Stands where no module was found; no module can be called so. */
const NO_MODULE = '-';
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const EXTRA_SERIES = 3;

export function createRequestMeter(registry: Registry): RequestMeter {
  const requests = new Counter({
    name: 'plexi_module_requests_total',
    help: 'Requests to endpoints of modules by class of status; module "-": no module answers to the path.',
    labelNames: ['module', 'status_class'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'plexi_module_request_seconds',
    help: 'From the request until the head of its answer; a streamed body may go on.',
    labelNames: ['module'],
    buckets: BUCKETS_S,
    registers: [registry],
  });

  const make = (module: string) => ({
    classes: STATUS_CLASSES.map((name) => requests.labels(module, name)),
    duration: duration.labels(module),
  });
  const meterOf = boundedByKey(BUCKETS_S.length + EXTRA_SERIES, make, () => make(OTHER));

  return ({ module, status, durationMs }) => {
    const meter = meterOf(module ?? NO_MODULE);
    meter.classes[Math.trunc(status / 100) - 1]?.inc();
    meter.duration.observe(durationMs / 1000);
  };
}
