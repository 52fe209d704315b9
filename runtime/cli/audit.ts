/** `plexi audit`: who did what on a running host. */
import { Command, InvalidArgumentError } from 'commander';
import { type Static, Type } from 'typebox';
import { MAX_ENTRIES } from '../management/audit-routes.ts';
import { askAndShow } from './ask-and-show.ts';
import { type HostFlags, withHostOptions } from './host-access.ts';
import { readRows } from './read-rows.ts';
import { table } from './table.ts';
import { showMoment } from './times.ts';
import { WHICH_HOST } from './which-host.ts';

const EXAMPLES = `
Examples:
  $ plexi audit list
  $ plexi audit list --module weather --limit 20
  $ plexi audit list --operator cli:ana --json
`;

export function auditCommand(): Command {
  return new Command('audit')
    .description('See who did what to a running host and its modules.')
    .addHelpText('after', EXAMPLES + WHICH_HOST)
    .addCommand(withHostOptions(listCommand()).addHelpText('after', EXAMPLES + WHICH_HOST));
}

interface ListFlags extends HostFlags {
  readonly module?: string;
  readonly operator?: string;
  readonly limit: number;
  readonly before?: string;
}

function listCommand(): Command {
  return new Command('list')
    .description('Show what operators did, and which states modules went through, newest first.')
    .option('--module <name>', 'only what was about this module')
    .option('--operator <sub>', 'only what this operator did')
    .option('--limit <number>', `at most so many, 1 to ${MAX_ENTRIES}`, readLimit, 50)
    .option('--before <id>', 'only older ones than this, as the line at the end says')
    .action(async ({ module, operator, limit, before, ...flags }: ListFlags) => {
      const query = new URLSearchParams({ limit: String(limit) });
      for (const [name, value] of Object.entries({ module, operator, before })) {
        if (value !== undefined) query.set(name, value);
      }
      const request = { method: 'GET', path: `/api/v1/audit?${query}`, answer: AnswerSchema } as const;
      await askAndShow(flags, request, ({ entries, next }) => {
        const { rows, note } = readRows('entries', entries, EntrySchema);
        if (rows.length === 0) return 'There are no such entries.\n';
        return showEntries(rows, new Date()) + note + (next === null ? '' : `More: --before ${next}\n`);
      });
    });
}

const Text = Type.String({ maxLength: 1_000 });
const EntrySchema = Type.Object({
  at: Text,
  action: Text,
  source: Text,
  operator: Type.Union([Text, Type.Null()]),
  module: Type.Union([Text, Type.Null()]),
  outcome: Text,
  details: Type.Record(Type.String(), Type.Unknown()),
});
const AnswerSchema = Type.Object({
  entries: Type.Array(Type.Unknown(), { maxItems: 1_000 }),
  next: Type.Union([Type.Integer(), Type.Null()]),
});

/** Said by what stands elsewhere, or of no use at a terminal. */
const LEFT_OUT: ReadonlySet<string> = new Set(['requestId', 'credential']);

function showEntries(entries: readonly Static<typeof EntrySchema>[], now: Date): string {
  const rows = entries.map(({ at, action, operator, module, outcome, details }) => {
    const shown = Object.entries(details).filter(([name]) => !LEFT_OUT.has(name));
    const notes = shown.length === 0 ? [] : [shown.map(([name, value]) => `${name}: ${wordsOf(value)}`).join(', ')];
    return { cells: [showMoment(at, now), operator ?? '(host)', action, module ?? '-', outcome], notes };
  });
  return table(['WHEN', 'WHO', 'WHAT', 'MODULE', 'OUTCOME'], rows);
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function readLimit(text: string): number {
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_ENTRIES) return limit;
  throw new InvalidArgumentError(`Allowed is a whole number from 1 to ${MAX_ENTRIES}.`);
}
