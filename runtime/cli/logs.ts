/** `plexi modules logs`: the last lines of and about a module, and with --follow what comes. */
import { LOG_LINE_LEVELS } from '@plexichat/sdk/protocol/capabilities/log';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { MAX_LINES } from '../management/log-routes.ts';
import { isModuleName } from '../management/module-input.ts';
import { printable } from '../observability/printable.ts';
import { askAndShow, safeJson } from './ask-and-show.ts';
import { followEvents } from './follow-events.ts';
import type { HostFlags } from './host-access.ts';
import { oneLine } from './lines.ts';
import { parseJsonOrNothing } from './parse-json.ts';
import { readRows } from './read-rows.ts';
import { showClock } from './times.ts';
import { UserError } from './user-error.ts';

interface LogFlags extends HostFlags {
  readonly level?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

const EXAMPLES = `
Examples:
  $ plexi modules logs weather
  $ plexi modules logs weather --level warn --limit 20
  $ plexi modules logs weather --follow --level warn`;

export function logsCommand(): Command {
  return new Command('logs')
    .argument('<module>', 'the name of the module')
    .description('Show what a module wrote to its log, and what the host says about it, oldest first.')
    .addOption(new Option('--level <level>', 'this one and what is worse').choices([...LOG_LINE_LEVELS]))
    .option('--limit <number>', `at most so many of the last lines, 1 to ${MAX_LINES}`, readLimit, 100)
    .option('--follow', 'go on with what comes, until the host ends or you press Ctrl-C')
    .addHelpText('after', EXAMPLES)
    .action(async (module: string, { level, limit, follow, ...flags }: LogFlags) => {
      const path = `${pathOf(module)}?limit=${limit}${level === undefined ? '' : `&level=${level}`}`;
      if (follow === true)
        return followEvents(flags, `${path}&follow=true`, (event) => show(event, flags.json === true));
      await askAndShow(flags, { method: 'GET', path, answer: AnswerSchema }, ({ lines }) => {
        const { rows, note } = readRows('lines', lines, LineSchema);
        if (rows.length > 0) return rows.toReversed().map(showLine).join('') + note;
        return `${module} has no lines${level === undefined ? '' : ` of the level ${level}`} since this host began.\n`;
      });
    });
}

const LineSchema = Type.Object({
  at: Type.String({ maxLength: 40 }),
  level: Type.Enum([...LOG_LINE_LEVELS]),
  source: Type.String({ maxLength: 20 }),
  message: Type.String({ maxLength: 20_000 }),
  fields: Type.Optional(Type.Unknown()),
});
const AnswerSchema = Type.Object({ lines: Type.Array(Type.Unknown(), { maxItems: MAX_LINES }) });
const checkLine = Compile(LineSchema);

function show({ event, data }: { readonly event: string; readonly data: string }, isJson: boolean): void {
  if (event !== 'line') return;
  const line = parseJsonOrNothing(data);
  if (!checkLine.Check(line)) return;
  process.stdout.write(isJson ? `${safeJson(JSON.stringify(line))}\n` : showLine(line));
}

/** Boundary: a module's words: they steer nothing, and none of their lines can pass for another one. */
function showLine({ at, level, source, message, fields }: Static<typeof LineSchema>): string {
  const who = source === 'host' ? 'host: ' : '';
  const more = fields === undefined ? '' : ` ${oneLine(JSON.stringify(fields))}`;
  return `${oneLine(showClock(at))} ${level.toUpperCase().padEnd(5)} ${who}${printable(message)}${more}\n`;
}

/** Boundary: a name is a step of the path, so `..` and slashes never get that far. */
function pathOf(module: string): string {
  if (isModuleName(module)) return `/api/v1/modules/${module}/logs`;
  throw new UserError(
    `${JSON.stringify(module)}: no module can have that name; "plexi modules list" shows those there are.`,
  );
}

function readLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LINES) return limit;
  throw new InvalidArgumentError(`Allowed is a whole number from 1 to ${MAX_LINES}.`);
}
