/** What events add up to. */
import { Counter, type Registry } from 'prom-client';
import { boundedByKey, OTHER } from './metrics-bound.ts';

const OUTCOMES = [
  'delivered',
  'failed',
  'timeout',
  'crashed',
  'denied',
  'unavailable',
  'full',
  'unclaimed',
  'closed',
] as const;
type Outcome = (typeof OUTCOMES)[number];

/** The shape of the events room's EventMeter, which this room may not import. */
export interface EventSeries {
  emitted(source: string): void;
  refused(module: string, why: 'rate' | 'chain'): void;
  settled(module: string, outcome: Outcome): void;
}

export function createEventSeries(registry: Registry): EventSeries {
  const emitted = new Counter({
    name: 'plexi_events_total',
    help: 'Events by who said them: a module, or chat-host.',
    labelNames: ['source'],
    registers: [registry],
  });
  const refused = new Counter({
    name: 'plexi_event_emits_refused_total',
    help: 'Events that a module was not let to emit. rate: too many a second; chain: caused by too long a chain of others.',
    labelNames: ['module', 'why'],
    registers: [registry],
  });
  const settled = new Counter({
    name: 'plexi_event_deliveries_total',
    help: 'Events for one handler each, by what came of them. Everything but delivered, failed, timeout and crashed was dropped unseen.',
    labelNames: ['module', 'outcome'],
    registers: [registry],
  });
  const emittedOf = boundedByKey(
    1,
    (source) => emitted.labels(source),
    () => emitted.labels(OTHER),
  );
  const refusedOf = boundedByKey(
    2,
    (module) => (why: string) => refused.labels(module, why),
    () => (why: string) => refused.labels(OTHER, why),
  );
  /** All outcomes of a module start at zero together, so that a rate sees its very first failure. */
  const outcomes = (module: string): Record<Outcome, Counter.Internal> => {
    const entries = OUTCOMES.map((outcome) => {
      const counter = settled.labels(module, outcome);
      counter.inc(0);
      return [outcome, counter];
    });
    return Object.fromEntries(entries);
  };
  const outcomesOf = boundedByKey(OUTCOMES.length, outcomes, () => outcomes(OTHER));
  return {
    emitted: (source) => emittedOf(source).inc(),
    refused: (module, why) => refusedOf(module)(why).inc(),
    settled: (module, outcome) => outcomesOf(module)[outcome].inc(),
  };
}
