/** What modules use of the machine, read when somebody scrapes, and how often their threads ended or were replaced. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { boundedByKey, MAX_SERIES, OTHER } from './metrics-bound.ts';

/** Of all threads of a module: what is counted since the host began, what is held now. */
export interface ModuleUsage {
  readonly threads: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** The longest of them. */
  readonly delayMs: number;
  readonly calls: number;
  readonly bytes: number;
  readonly lines: number;
}

export type ReadUsage = () => Iterable<readonly [module: string, usage: ModuleUsage]>;

export interface ThreadMeter {
  /** A thread ended, and nobody had asked for it. */
  ended(module: string, reason: string): void;
  /** One was over a soft limit, and another takes over. */
  replaced(module: string, limit: string): void;
}

export function createThreadMeter(registry: Registry): ThreadMeter {
  const ends = countOf(registry, 'plexi_module_thread_ends_total', 'Threads that ended unasked, by reason.', 'reason');
  const replaced = countOf(
    registry,
    'plexi_module_threads_replaced_total',
    'Threads that were replaced since they were over a soft limit.',
    'limit',
  );
  return {
    ended: (module, reason) => ends(module, reason),
    replaced: (module, limit) => replaced(module, limit),
  };
}

/** The answer brings the series up to date. */
export function createUsageSeries(registry: Registry, readAll: ReadUsage): () => void {
  const series = SERIES.map(([name, help, read]) => {
    const Kind = name.endsWith('_total') ? Counter : Gauge;
    return { metric: new Kind({ name, help, labelNames: ['module'], registers: [registry] }), read };
  });
  return () => {
    for (const { metric } of series) metric.reset();
    let modules = 0;
    for (const [module, usage] of readAll()) {
      modules += 1;
      const label = modules < MAX_SERIES ? module : OTHER;
      for (const { metric, read } of series) metric.labels(label).inc(Math.max(0, read(usage)));
    }
  };
}

/** The host adds up what threads that are gone have used, so what is counted only grows. */
const SERIES: readonly (readonly [name: string, help: string, read: (usage: ModuleUsage) => number])[] = [
  ['plexi_module_threads', 'Threads of the module that run.', ({ threads }) => threads],
  ['plexi_module_cpu_seconds_total', 'Processor time.', ({ cpuMs }) => cpuMs / 1000],
  ['plexi_module_heap_bytes', 'JavaScript heaps, garbage included.', ({ heapBytes }) => heapBytes],
  ['plexi_module_external_bytes', 'Memory outside of the heaps: ArrayBuffers.', ({ externalBytes }) => externalBytes],
  ['plexi_module_event_loop_delay_seconds', 'How long an event loop takes to turn.', ({ delayMs }) => delayMs / 1000],
  ['plexi_module_calls_total', 'Calls to the host, refused ones included.', ({ calls }) => calls],
  ['plexi_module_sent_bytes_total', 'What was sent to the host beside streams.', ({ bytes }) => bytes],
  ['plexi_module_log_lines_total', 'Log lines, dropped ones included.', ({ lines }) => lines],
];

function countOf<Label extends string>(registry: Registry, name: string, help: string, label: Label) {
  const counter = new Counter({ name, help, labelNames: ['module', label], registers: [registry] });
  const child = (module: string, what: string) => counter.labels({ module, [label]: what } as never);
  const of = boundedByKey(
    1,
    (key: string) => child(...(key.split(' ') as [string, string])),
    () => child(OTHER, OTHER),
  );
  return (module: string, what: string): void => of(`${module} ${what}`).inc();
}
