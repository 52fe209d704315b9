/** How much is in the queue, read only when somebody scrapes. A queue that cannot be reached costs the scrape two seconds. */
import { Gauge, type Registry } from 'prom-client';
import { MAX_SERIES, OTHER } from './metrics-bound.ts';

export interface Depth {
  readonly module: string;
  readonly state: string;
  readonly count: number;
}

export type ReadDepths = () => Promise<readonly Depth[]>;

const DEADLINE_MS = 2_000;
/** Scrapes that come faster see the same reading: nobody makes the queue count itself more often. */
const FRESH_MS = 1_000;
/** A reading that never settles does not stop the next one for ever. */
const GIVE_UP_MS = 30_000;

/** The answer brings both series up to date; it never rejects. */
export function createDepthSeries(registry: Registry, read: ReadDepths): () => Promise<void> {
  const depth = new Gauge({
    name: 'plexi_task_queue_depth',
    help: 'Runs in the queue by state; absent while the queue cannot be reached.',
    labelNames: ['module', 'state'],
    registers: [registry],
  });
  const up = new Gauge({
    name: 'plexi_queue_up',
    help: 'Whether the task queue answered this scrape (1) or not (0).',
    registers: [registry],
  });
  const readOnce = sharedReading(read);

  return async () => {
    const depths = await withDeadline(readOnce());
    depth.reset();
    up.set(depths === undefined ? 0 : 1);
    if (depths !== undefined) fill(depth, depths);
  };
}

/** Places that stay free for the states of OTHER. */
const OTHER_STATES = 10;

/** What is past the bound is added up. */
function fill(gauge: Gauge<'module' | 'state'>, depths: readonly Depth[]): void {
  depths.forEach(({ module, state, count }, index) => {
    if (index < MAX_SERIES - OTHER_STATES) gauge.labels(module, state).set(count);
    else gauge.labels(OTHER, state).inc(count);
  });
}

/** Scrapes that overlap wait for one reading. */
function sharedReading(read: ReadDepths): ReadDepths {
  let startedAt = Number.NEGATIVE_INFINITY;
  let pending = false;
  let reading: Promise<readonly Depth[]> = Promise.resolve([]);
  return () => {
    const age = performance.now() - startedAt;
    if (age < (pending ? GIVE_UP_MS : FRESH_MS)) return reading;
    startedAt = performance.now();
    pending = true;
    const current = start(read);
    const settled = (): void => {
      if (reading === current) pending = false;
    };
    reading = current;
    current.then(settled, settled);
    return current;
  };
}

/** A reader that throws at once has failed like any other. */
async function start(read: ReadDepths): Promise<readonly Depth[]> {
  return read();
}

function withDeadline(reading: Promise<readonly Depth[]>): Promise<readonly Depth[] | undefined> {
  return new Promise((resolve) => {
    const deadline = setTimeout(resolve, DEADLINE_MS, undefined);
    const settle = (depths: readonly Depth[] | undefined): void => {
      clearTimeout(deadline);
      resolve(depths);
    };
    reading.then(settle, () => settle(undefined));
  });
}
