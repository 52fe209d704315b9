/** What the sdk gets from the kernel: host calls with typed errors, log lines that leave once a turn, bodies in pieces. */
import type { HostBinding } from '@plexichat/sdk/module/host-binding';
import type { BodyStreams } from '@plexichat/sdk/protocol/body-streams';
import { isErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { CallResult } from '@plexichat/sdk/protocol/guest-api';
import type { HostCalls } from './host-calls.ts';
import { createTaskReports } from './task-reports.ts';
import type { Timers } from './timers.ts';

interface BindingParts {
  readonly hostCalls: HostCalls;
  readonly streams: BodyStreams;
  readonly timers: Timers;
  /** Whether stacks may leave the realm. */
  readonly diagnostics: boolean;
}

/** Fields cross as JSON text: whatever they hold, the host walks nothing, and no line costs the others their way. */
type LogLine = readonly [level: string, message: string, fields?: string];

const { stringify } = JSON;

/** Lines that wait for the turn to end; more are dropped and counted. */
const MAX_WAITING_LINES = 200;
const MAX_LINE_CHARACTERS = 8_000;
/** Of the lines that wait; the same for more of them. */
const MAX_WAITING_CHARACTERS = 256 * 1024;
/** Of one call; the host takes 64 K (runtime/capabilities/log.ts). */
const MAX_CALL_CHARACTERS = 60 * 1024;

export function createHostBinding({ hostCalls, streams, timers, diagnostics }: BindingParts): HostBinding {
  const call = async (capability: string, method: string, args: readonly unknown[]): Promise<unknown> => {
    const result = (await hostCalls.call(capability, method, args)) as CallResult | undefined;
    if (result?.ok === true) return result.value;
    const code = isErrorCode(result?.code) ? result.code : 'INTERNAL';
    throw new PlexiError(code, result?.message ?? `The host does not know ${capability}.${method}.`);
  };

  let lines: LogLine[] = [];
  let characters = 0;
  let dropped = 0;
  const sendLines = (): void => {
    const waiting = lines;
    if (dropped > 0) waiting.push(['warn', `${dropped} log lines were dropped: too many in one turn.`]);
    lines = [];
    characters = 0;
    dropped = 0;
    let batch: LogLine[] = [];
    let size = 0;
    for (const line of waiting) {
      if (size + sizeOf(line) > MAX_CALL_CHARACTERS) {
        sendBatch(batch);
        batch = [];
        size = 0;
      }
      batch.push(line);
      size += sizeOf(line);
    }
    sendBatch(batch);
  };
  // A log line that the host refuses (quota) has no other place to go: it is counted there.
  const sendBatch = (batch: readonly LogLine[]): void => void call('log', 'write', [batch]).catch(() => {});

  return {
    call,
    log(level, message, fields) {
      if (lines.length >= MAX_WAITING_LINES || characters >= MAX_WAITING_CHARACTERS) {
        dropped += 1;
        return;
      }
      const text = String(message).slice(0, MAX_LINE_CHARACTERS);
      const fieldsText = toText(fields);
      const line: LogLine = fieldsText === undefined ? [level, text] : [level, text, fieldsText];
      lines.push(line);
      characters += sizeOf(line);
      if (lines.length === 1) void Promise.resolve().then(sendLines);
    },
    readStream: (id) => streams.read(id),
    writeStream: (source) => streams.write(source),
    reportTask: createTaskReports(call, timers),
    setTimeout: (callback, delayMs) => timers.setTimeout(callback, delayMs),
    clearTimeout: (id) => timers.clearTimeout(id),
    settingsDebug: diagnostics,
  };
}

function sizeOf([, message, fields = '']: LogLine): number {
  return message.length + fields.length;
}

function toText(fields: unknown): string | undefined {
  if (fields === undefined) return undefined;
  try {
    return stringify(fields)?.slice(0, MAX_LINE_CHARACTERS);
  } catch {
    return 'the fields cannot be written as JSON';
  }
}

/** An error of the module's as two texts. Whatever was thrown, this does not throw. */
export function describeError(error: unknown): { message: string; stack?: string } {
  try {
    if (typeof error !== 'object' || error === null) return { message: String(error).slice(0, 2000) };
    const { name, message, stack } = error as Error;
    const text = `${name === undefined ? 'Error' : String(name)}: ${String(message)}`.slice(0, 2000);
    return typeof stack === 'string' ? { message: text, stack: stack.slice(0, 20_000) } : { message: text };
  } catch {
    return { message: 'An error that cannot be read.' };
  }
}
