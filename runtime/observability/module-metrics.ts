/** What each module did and cost since this host began, for operators; beside the same as series for Prometheus. */
import { ERRORS, type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import { Counter, type Registry } from 'prom-client';
import { boundedByKey, OTHER } from './metrics-bound.ts';
import type { AnsweredRequest } from './metrics-requests.ts';
import { RecentTimes, type TimesView } from './recent-times.ts';

export interface ModuleFigures {
  readonly requests: {
    readonly total: number;
    /** By class: `2xx`. */
    readonly statuses: Readonly<Record<string, number>>;
    /** By code: `MODULE_TIMEOUT`. */
    readonly errors: Readonly<Record<string, number>>;
    readonly latency_ms: TimesView | null;
  };
  readonly tasks: {
    /** By what came of them: `completed`. */
    readonly runs: Readonly<Record<string, number>>;
    readonly wait_ms: TimesView | null;
    readonly run_ms: TimesView | null;
  };
  /** Bodies of requests that the module sent, and of their answers. */
  readonly egress: { readonly sent_bytes: number; readonly received_bytes: number };
  readonly restarts: {
    readonly crashes: number;
    /** Threads that ended unasked, by reason. */
    readonly thread_ends: Readonly<Record<string, number>>;
    /** Threads that were over a soft limit, by limit. */
    readonly replaced: Readonly<Record<string, number>>;
  };
}

export type EgressDirection = 'sent' | 'received';

export interface ModuleMetrics {
  answered(request: AnsweredRequest): void;
  taskStarted(module: string, waitMs: number): void;
  taskEnded(module: string, outcome: string, runMs: number): void;
  transferred(module: string, direction: EgressDirection, bytes: number): void;
  crashed(module: string): void;
  threadEnded(module: string, reason: string): void;
  threadReplaced(module: string, limit: string): void;
  read(module: string): ModuleFigures;
}

const SERIES_PER_MODULE = 6;
/** By the first digit of a status. */
const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export function createModuleMetrics(registry: Registry): ModuleMetrics {
  const series = createSeries(registry);
  const make = (name: string) => new Figures(series, name);
  const known = new Map<string, Figures>();
  const figuresOf = boundedByKey(
    SERIES_PER_MODULE,
    (name) => {
      const figures = make(name);
      known.set(name, figures);
      return figures;
    },
    () => make(OTHER),
  );
  return {
    answered({ module, status, durationMs, error }) {
      if (module === undefined) return;
      const figures = figuresOf(module);
      figures.statuses.add(STATUS_CLASSES[Math.trunc(status / 100)] ?? OTHER);
      figures.latency.record(durationMs);
      if (error !== undefined) figures.failed(error instanceof PlexiError ? error.code : 'INTERNAL');
    },
    taskStarted: (module, waitMs) => figuresOf(module).wait.record(waitMs),
    taskEnded(module, outcome, runMs) {
      const figures = figuresOf(module);
      figures.runs.add(outcome);
      if (outcome !== 'skipped') figures.run.record(runMs);
    },
    transferred: (module, direction, bytes) => figuresOf(module).transferred(direction, bytes),
    crashed: (module) => figuresOf(module).crashed(),
    threadEnded: (module, reason) => figuresOf(module).ends.add(reason),
    threadReplaced: (module, limit) => figuresOf(module).replaced.add(limit),
    read: (module) => (known.get(module) ?? NOTHING).view(),
  };
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const registers = [registry];
  return {
    errors: new Counter({
      name: 'plexi_module_errors_total',
      help: 'Requests to endpoints of modules that were refused or failed, by who is to blame.',
      labelNames: ['module', 'blame'],
      registers,
    }),
    egress: new Counter({
      name: 'plexi_module_egress_bytes_total',
      help: 'Bodies of requests that modules sent into the world, and of their answers.',
      labelNames: ['module', 'direction'],
      registers,
    }),
    crashes: new Counter({
      name: 'plexi_module_crashes_total',
      help: 'How often a module went down by itself; it comes back, or is parked.',
      labelNames: ['module'],
      registers,
    }),
  };
}

class Figures {
  readonly statuses = new Tally();
  readonly errors = new Tally();
  readonly runs = new Tally();
  readonly ends = new Tally();
  readonly replaced = new Tally();
  readonly latency = new RecentTimes();
  readonly wait = new RecentTimes();
  readonly run = new RecentTimes();
  readonly #bytes = { sent: 0, received: 0 };
  #crashes = 0;
  readonly #series: Series | undefined;
  readonly #module: string;

  constructor(series: Series | undefined, module: string) {
    this.#series = series;
    this.#module = module;
  }

  failed(code: ErrorCode): void {
    this.errors.add(code);
    this.#series?.errors.labels(this.#module, ERRORS[code].blame).inc();
  }

  transferred(direction: EgressDirection, bytes: number): void {
    this.#bytes[direction] += bytes;
    this.#series?.egress.labels(this.#module, direction).inc(bytes);
  }

  crashed(): void {
    this.#crashes += 1;
    this.#series?.crashes.labels(this.#module).inc();
  }

  view(): ModuleFigures {
    const statuses = this.statuses.view();
    const total = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    return {
      requests: { total, statuses, errors: this.errors.view(), latency_ms: this.latency.view() ?? null },
      tasks: { runs: this.runs.view(), wait_ms: this.wait.view() ?? null, run_ms: this.run.view() ?? null },
      egress: { sent_bytes: this.#bytes.sent, received_bytes: this.#bytes.received },
      restarts: { crashes: this.#crashes, thread_ends: this.ends.view(), replaced: this.replaced.view() },
    };
  }
}

/** Counts by word; the words are the host's own, and few. */
class Tally {
  readonly #counts = new Map<string, { count: number }>();

  add(what: string): void {
    const known = this.#counts.get(what);
    if (known === undefined) this.#counts.set(what, { count: 1 });
    else known.count += 1;
  }

  view(): Record<string, number> {
    return Object.fromEntries([...this.#counts].map(([what, { count }]) => [what, count]));
  }
}

const NOTHING = new Figures(undefined, '');
