/** What tasks' runs add up to. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { boundedByKey, OTHER } from './metrics-bound.ts';

const OUTCOMES = ['completed', 'failed', 'retry', 'timeout', 'interrupted', 'skipped'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** The shape of the tasks room's TaskMeter, which this room may not import. */
export interface RunMeter {
  started(module: string, task: string, waitMs: number): void;
  ended(module: string, task: string, outcome: Outcome, runMs: number): void;
}

const WAIT_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200];
const RUN_BUCKETS_S = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200];
/** Besides its buckets a histogram has +Inf, sum and count. */
const EXTRA_SERIES = 3;

export function createRunMeter(registry: Registry): RunMeter {
  const wait = new Histogram({
    name: 'plexi_task_wait_seconds',
    help: 'From the moment that a run was due until its first attempt began.',
    labelNames: ['module'],
    buckets: WAIT_BUCKETS_S,
    registers: [registry],
  });
  const run = new Histogram({
    name: 'plexi_task_run_seconds',
    help: 'How long an attempt of a run took, whatever came of it; runs that were skipped are left out.',
    labelNames: ['module'],
    buckets: RUN_BUCKETS_S,
    registers: [registry],
  });
  const runs = new Counter({
    name: 'plexi_task_runs_total',
    help: 'Attempts by what came of them. retry: failed, another follows; interrupted: its thread, cell or host went away; skipped: left out although its time had come.',
    labelNames: ['module', 'task', 'outcome'],
    registers: [registry],
  });

  const times = (module: string) => ({ wait: wait.labels(module), run: run.labels(module) });
  const timesOf = boundedByKey(WAIT_BUCKETS_S.length + EXTRA_SERIES, times, () => times(OTHER));
  const outcomesOf = createOutcomes(runs);

  return {
    started(module, task, waitMs) {
      outcomesOf(module, task);
      timesOf(module).wait.observe(seconds(waitMs));
    },
    ended(module, task, outcome, runMs) {
      outcomesOf(module, task)[outcome].inc();
      if (outcome !== 'skipped') timesOf(module).run.observe(seconds(runMs));
    },
  };
}

type Outcomes = Record<Outcome, Counter.Internal>;

/** All outcomes of a task start at zero together, so that a rate sees its very first failure. */
function createOutcomes(runs: Counter<'module' | 'task' | 'outcome'>): (module: string, task: string) => Outcomes {
  const make = (module: string, task: string): Outcomes => {
    const entries = OUTCOMES.map((outcome) => {
      const counter = runs.labels(module, task, outcome);
      counter.inc(0);
      return [outcome, counter];
    });
    return Object.fromEntries(entries) as Outcomes;
  };
  const outcomesOf = boundedByKey(
    OUTCOMES.length,
    (key) => {
      const [module = '', task = ''] = key.split('\n');
      return make(module, task);
    },
    () => make(OTHER, OTHER),
  );
  return (module, task) => outcomesOf(`${module}\n${task}`);
}

/** Clocks of two hosts can disagree: nothing takes less than no time, and what is no number would end the host. */
function seconds(ms: number): number {
  return ms > 0 && Number.isFinite(ms) ? ms / 1000 : 0;
}
