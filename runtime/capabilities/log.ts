/** A module's log lines: bounded, checked, written under the module's name. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ModuleLog {
  write(module: string, level: LogLevel, message: string, fields: unknown): void;
}

const LinesSchema = Type.Array(
  Type.Union([
    Type.Tuple([Type.String(), Type.String({ maxLength: 8_000 })]),
    Type.Tuple([Type.String(), Type.String({ maxLength: 8_000 }), Type.Unknown()]),
  ]),
  { maxItems: 250 },
);
const checkLines = Compile(LinesSchema);
const LEVELS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error']);
/** A line's fields, as JSON. */
const MAX_FIELDS_CHARACTERS = 8_000;
/** Lines per second and module; the rest is counted and dropped. */
const LINES_PER_SECOND = 500;

export function createLogCapability(log: ModuleLog): Capability {
  return ({ module }) => {
    let second = 0;
    let lines = 0;
    let dropped = 0;
    const admit = (): boolean => {
      const now = Math.floor(Date.now() / 1000);
      if (now !== second) {
        if (dropped > 0)
          log.write(
            module,
            'warn',
            `${dropped} log lines were dropped: more than ${LINES_PER_SECOND} a second.`,
            undefined,
          );
        second = now;
        lines = 0;
        dropped = 0;
      }
      lines += 1;
      if (lines > LINES_PER_SECOND) dropped += 1;
      return lines <= LINES_PER_SECOND;
    };
    return {
      write(batch) {
        if (!checkLines.Check(batch))
          throw new PlexiError('INVALID_CALL', 'log.write takes a list of [level, message, fields].');
        for (const [level, message, fields] of batch) {
          if (LEVELS.has(level) && admit()) log.write(module, level as LogLevel, message, boundFields(fields));
        }
      },
    };
  };
}

function boundFields(fields: unknown): unknown {
  if (fields === undefined || fields === null) return undefined;
  const text = JSON.stringify(fields);
  return text.length <= MAX_FIELDS_CHARACTERS ? fields : { truncated: text.slice(0, MAX_FIELDS_CHARACTERS) };
}
