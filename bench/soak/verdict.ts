/** The bars of a soak, and its result as text. */
import { printBars, printSection, round } from '../support/print.ts';
import type { Bar, Section } from '../support/question.ts';
import { percentile } from '../support/statistics.ts';
import type { HostFacts } from './host-facts.ts';
import type { SoakResult } from './soak.ts';

export interface VerdictOptions {
  /**
   * A short soak has too few requests for a share of a thousandth, so what was under way in a cell when it died comes on
   * top; and what was used once at its beginning would count as growth, so memory is not judged.
   */
  readonly isLong: boolean;
}

/** At least 99.9 % are answered 2xx. */
const MAX_LOST_PERCENT = 0.1;
/** What cannot be run twice, of some eight clients with one request each. */
const LOST_WITH_CELL = 3;

export function judgeSoak(result: SoakResult, { isLong }: VerdictOptions): Bar[] {
  const tallies = [...result.good.values()];
  const asked = sum(tallies, ({ asked }) => asked);
  const lost = (100 * (asked - sum(tallies, ({ served }) => served))) / asked;
  const deaths = (result.death === undefined ? 0 : 1) + result.health.failures.length;
  return [
    atMost('gateway deaths, and questions for its health without an answer', 0, deaths),
    atMost('wrong answers of good modules', 0, wrongAnswers(result).length),
    {
      name: 'valid requests to good modules not answered 2xx',
      comparison: 'at most',
      bound: MAX_LOST_PERCENT + (isLong ? 0 : (100 * LOST_WITH_CELL * result.cellsLost) / asked),
      measured: lost,
      unit: ' %',
    },
    atMost('runs of tasks of good modules that failed', 0, failedRuns(result).length),
    ...(isLong && result.before !== undefined && result.after !== undefined
      ? [
          {
            name: 'memory of the host after it, of before',
            comparison: 'at most',
            bound: 110,
            measured: (100 * result.after.residentMb) / result.before.residentMb,
            unit: ' %',
          } as const,
        ]
      : []),
  ];
}

export function wrongAnswers({ good, runs }: SoakResult): string[] {
  return [
    ...[...good].flatMap(([module, { wrong }]) => wrong.map((what) => `${module}${what}`)),
    ...[...runs.values()].flatMap(({ wrong }) => wrong),
  ];
}

export function printSoak(result: SoakResult, bars: readonly Bar[]): string {
  return [
    printSection(goodSection(result)),
    printSection(hostileSection(result)),
    printSection(hostSection(result)),
    printBars(bars),
  ].join('');
}

function atMost(name: string, bound: number, measured: number): Bar {
  return { name, comparison: 'at most', bound, measured, unit: '' };
}

function failedRuns({ runs }: SoakResult): string[] {
  return [...runs.values()].flatMap(({ failed }) => failed);
}

function goodSection(result: SoakResult): Section {
  const { good, runs, health } = result;
  const rows = [...good].map(([module, tally]) => {
    const sorted = tally.latenciesMs.toSorted((a, b) => a - b);
    return [
      module,
      String(tally.asked),
      `${((100 * tally.served) / tally.asked).toFixed(3)} %`,
      String(tally.wrong.length),
      `${round(percentile(sorted, 50))} ms`,
      `${round(percentile(sorted, 99))} ms`,
      String(runs.get(module)?.completed ?? '-'),
    ];
  });
  const refusals = new Map<string, number>();
  for (const tally of good.values()) {
    for (const [how, count] of tally.refusals) refusals.set(how, (refusals.get(how) ?? 0) + count);
  }
  const later = sum([...good.values()], ({ cameWithRetryAfter }) => cameWithRetryAfter);
  return section('good modules', {
    columns: ['module', 'valid requests', '2xx', 'wrong', 'p50', 'p99', 'task runs'],
    rows,
    notes: [
      `Not 2xx: ${[...refusals].map(([how, count]) => `${count} × ${how}`).join(', ') || 'none'}; with Retry-After: ${later}.`,
      `GET /healthz: ${health.asked} times, p99 ${round(health.p99)} ms, slowest ${round(health.slowest)} ms.`,
      ...wrongAnswers(result).slice(0, MAX_NOTES),
      ...failedRuns(result).slice(0, MAX_NOTES),
      ...health.failures.slice(0, MAX_NOTES),
    ],
  });
}

const MAX_NOTES = 5;

function hostileSection({ hostile, cellsLost }: SoakResult): Section {
  const rows = [...Map.groupBy(hostile, ({ kind }) => kind)].map(([kind, modules]) => {
    const states = Map.groupBy(modules, ({ state }) => state);
    return [
      kind,
      String(modules.length),
      String(sum(modules, ({ answers }) => Object.values(answers).reduce((total, count) => total + count, 0))),
      [...states].map(([state, of]) => `${of.length} ${state}`).join(', '),
    ];
  });
  const notes = [`Cells that ended during it: ${cellsLost}.`];
  return section('hostile modules', { columns: ['kind', 'modules', 'requests', 'in the end'], rows, notes });
}

function hostSection({ before, after, death, logFile }: SoakResult): Section {
  const row = (name: string, facts: HostFacts | undefined): string[] =>
    facts === undefined
      ? [name, '-', '-', '-', '-', '-', '-', '-']
      : [
          name,
          `${round(facts.residentMb)} MB`,
          `${round(facts.heapMb)} MB`,
          `${round(facts.externalMb)} MB`,
          `${round(facts.treeMb)} MB`,
          String(facts.processes),
          String(facts.descriptors),
          String(facts.threads),
        ];
  return section('the host', {
    columns: ['', 'resident', 'its heap', 'beside it', 'with its cells', 'processes', 'descriptors', 'threads'],
    rows: [row('before', before), row('after', after)],
    notes: death === undefined ? [] : [`${death}; its last words: ${logFile}`],
  });
}

interface Content {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

function section(title: string, { columns, rows, notes }: Content): Section {
  return { name: title, title, table: { columns, rows }, notes, data: null, bars: [] };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
