/** A module's log lines: bounded, checked, written under the module's name. */
import { LOG_LINE_LEVELS, type LogLevel } from '@plexichat/sdk/protocol/capabilities/log';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';

export interface ModuleLog {
  write(module: string, level: LogLevel, message: string, fields: unknown): void;
}

const LinesSchema = Type.Array(
  Type.Union([
    Type.Tuple([Type.String(), Type.String({ maxLength: 8_000 })]),
    Type.Tuple([Type.String(), Type.String({ maxLength: 8_000 }), Type.String({ maxLength: 8_000 })]),
  ]),
  { maxItems: 250 },
);
const checkLines = Compile(LinesSchema);
const LEVELS: ReadonlySet<string> = new Set(LOG_LINE_LEVELS);
/** All messages and fields of one call. */
const MAX_CALL_CHARACTERS = 64 * 1024;
/** Fields come as JSON text; only what is small enough to cost nothing is read, the rest stays text. */
const MAX_READ_CHARACTERS = 2_000;
const MAX_READ_DEPTH = 32;

export function createLogCapability(log: ModuleLog): Capability {
  return ({ module, admitLine }) => {
    let dropped = 0;
    const admit = (): boolean => {
      if (!admitLine()) {
        dropped += 1;
        return false;
      }
      if (dropped > 0)
        log.write(module, 'warn', `${dropped} log lines were dropped: more than it may write a second.`, undefined);
      dropped = 0;
      return true;
    };
    return {
      write(batch) {
        if (!checkLines.Check(batch))
          throw new PlexiError('INVALID_CALL', 'log.write takes a list of [level, message, fields].');
        let characters = 0;
        for (const [, message, fields = ''] of batch) characters += message.length + fields.length;
        if (characters > MAX_CALL_CHARACTERS) {
          throw new PlexiError(
            'INVALID_CALL',
            `log.write takes at most ${MAX_CALL_CHARACTERS} characters at once, not ${characters}.`,
          );
        }
        for (const [level, message, fields] of batch) {
          if (LEVELS.has(level) && admit()) log.write(module, level as LogLevel, message, readFields(fields));
        }
      },
    };
  };
}

function readFields(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (text.length > MAX_READ_CHARACTERS || nestsDeeperThan(text, MAX_READ_DEPTH)) return { text };
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
