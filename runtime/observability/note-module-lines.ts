/** A log like the given one, whose lines about a module are kept with the module too, whatever level the log has. */
import type { LogLevel } from '@plexichat/sdk/protocol/capabilities/log';
import type { Logger } from './log.ts';
import type { ModuleLogs } from './module-logs.ts';

const LEVELS: readonly (readonly [name: 'debug' | 'info' | 'warn' | 'error' | 'fatal', kept: LogLevel])[] = [
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
];

/** Lines of the same words about one module that are kept in a minute. */
const SAME_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
const MAX_WINDOWS = 5_000;

/** For the host's own words. Boundary: a module's words go past this, or they would pass for the host's. */
export function noteModuleLines(log: Logger, lines: Pick<ModuleLogs, 'write'>, now: () => number = Date.now): Logger {
  const noting = log.child({});
  const note = createNote(lines, now);
  for (const [name, level] of LEVELS) {
    const write = noting[name].bind(noting) as (...words: readonly unknown[]) => void;
    noting[name] = (...words: readonly unknown[]) => {
      note(level, words);
      write(...words);
    };
  }
  return noting;
}

function createNote(lines: Pick<ModuleLogs, 'write'>, now: () => number) {
  const isOneTooMany = createFlood(now, (module, level, left) =>
    lines.write(module, 'host', level, `${left} more lines like the next one were not kept`),
  );
  return (level: LogLevel, [facts, message]: readonly unknown[]): void => {
    if (typeof facts !== 'object' || facts === null || !('module' in facts)) return;
    // What operators did is in the audit trail, under who did it.
    if (typeof facts.module !== 'string' || 'audit' in facts) return;
    const words = typeof message === 'string' ? message : '';
    if (isOneTooMany(facts.module, level, words)) return;
    const shown = shownOf(facts);
    const fields = Object.keys(shown).length === 0 ? undefined : JSON.stringify(shown);
    lines.write(facts.module, 'host', level, words, fields);
  };
}

/** Boundary: clients make requests fail as often as they like; that does not wash away why a thread ended. */
function createFlood(now: () => number, onOver: (module: string, level: LogLevel, left: number) => void) {
  const windows = new Map<string, { readonly endsAt: number; kept: number; left: number }>();
  return (module: string, level: LogLevel, words: string): boolean => {
    const key = `${module} ${words.slice(0, 100)}`;
    const known = windows.get(key);
    if (known !== undefined && now() < known.endsAt) {
      known.kept += 1;
      if (known.kept <= SAME_PER_MINUTE) return false;
      known.left += 1;
      return true;
    }
    if (known !== undefined && known.left > 0) onOver(module, level, known.left);
    if (windows.size >= MAX_WINDOWS) windows.clear();
    windows.set(key, { endsAt: now() + MINUTE_MS, kept: 1, left: 0 });
    return false;
  };
}

/** Boundary: a fact that is not named here (who called, what was sent) is for the host's own log alone. */
const SHOWN: readonly string[] = [
  'from',
  'reasons',
  'reason',
  'detail',
  'details',
  'limit',
  'kind',
  'name',
  'permissions',
  'method',
  'path',
  'handler',
  'status',
  'durationMs',
  'requestId',
];
const MAX_TEXT = 1_000;
const MAX_LIST = 20;

function shownOf(facts: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    if (SHOWN.includes(key)) {
      const plain = plainOf(value);
      if (plain !== undefined) shown[key] = plain;
    } else if (key === 'err' && value instanceof Error) {
      shown.error = value.message.slice(0, MAX_TEXT);
      // Why a module did not boot is said by what caused the refusal.
      if (value.cause instanceof Error) shown.cause = value.cause.message.slice(0, MAX_TEXT);
    }
  }
  return shown;
}

function plainOf(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.slice(0, MAX_LIST).map((each) => String(each).slice(0, MAX_TEXT));
}
