/** What the sdk gets from the kernel: host calls with typed errors, log lines that leave once a turn, bodies in pieces. */
import type { HostBinding } from '@plexichat/sdk/module/host-binding';
import type { BodyStreams } from '@plexichat/sdk/protocol/body-streams';
import { isErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { CallResult } from '@plexichat/sdk/protocol/guest-api';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import type { Timers } from './timers.ts';

type HostCalls = Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>;

interface BindingParts {
  readonly hostCalls: HostCalls;
  readonly streams: BodyStreams;
  readonly timers: Timers;
  /** Whether stacks may leave the realm. */
  readonly diagnostics: boolean;
}

type LogLine = readonly [level: string, message: string, fields?: unknown];

const { stringify } = JSON;

/** Lines that wait for the turn to end; more are dropped and counted. */
const MAX_WAITING_LINES = 200;
const MAX_LINE_CHARACTERS = 8_000;
/** The host refuses a whole batch that nests much deeper. */
const MAX_FIELD_DEPTH = 32;

export function createHostBinding({ hostCalls, streams, timers, diagnostics }: BindingParts): HostBinding {
  const call = async (capability: string, method: string, args: readonly unknown[]): Promise<unknown> => {
    const result = (await hostCalls[capability]?.[method]?.(...args)) as CallResult | undefined;
    if (result?.ok === true) return result.value;
    const code = isErrorCode(result?.code) ? result.code : 'INTERNAL';
    throw new PlexiError(code, result?.message ?? `The host does not know ${capability}.${method}.`);
  };

  let lines: LogLine[] = [];
  let dropped = 0;
  const sendLines = (): void => {
    const batch = lines;
    if (dropped > 0) batch.push(['warn', `${dropped} log lines were dropped: too many in one turn.`]);
    lines = [];
    dropped = 0;
    // A log line that the host refuses (quota) has no other place to go: it is counted there.
    call('log', 'write', [batch]).catch(() => {});
  };

  return {
    call,
    log(level, message, fields) {
      if (lines.length >= MAX_WAITING_LINES) {
        dropped += 1;
        return;
      }
      lines.push([level, String(message).slice(0, MAX_LINE_CHARACTERS), boundFields(fields)]);
      if (lines.length === 1) void Promise.resolve().then(sendLines);
    },
    readStream: (id) => streams.read(id),
    writeStream: (source) => streams.write(source),
    setTimeout: (callback, delayMs) => timers.setTimeout(callback, delayMs),
    clearTimeout: (id) => timers.clearTimeout(id),
    settingsDebug: diagnostics,
  };
}

/** Fields that can be sent for certain: what JSON refuses would take the other lines of its batch with it. */
function boundFields(fields: unknown): unknown {
  if (fields === undefined) return undefined;
  try {
    const text = stringify(fields);
    if (text === undefined) return undefined;
    const fits = text.length <= MAX_LINE_CHARACTERS && !nestsDeeperThan(text, MAX_FIELD_DEPTH);
    return fits ? fields : { truncated: text.slice(0, MAX_LINE_CHARACTERS) };
  } catch {
    return { truncated: 'the fields cannot be written as JSON' };
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
