/** An event on its way between hosts. What comes is read as foreign: others can write to the same server. */
import {
  EVENT_NAME_PATTERN,
  isModuleEvent,
  MAX_EVENT_DATA,
  MAX_EVENT_DEPTH,
  MAX_EVENT_HOPS,
  MAX_EVENT_NAME,
} from '@plexichat/sdk/protocol/event-names';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { CHAT_HOST, type HostEvent } from './host-event.ts';

const WireEventSchema = Type.Object(
  {
    host: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    name: Type.String({ pattern: EVENT_NAME_PATTERN, maxLength: MAX_EVENT_NAME }),
    source: Type.Union([Type.Literal(CHAT_HOST), Type.String({ pattern: MODULE_NAME_PATTERN })]),
    at: Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 }),
    hops: Type.Integer({ minimum: 0, maximum: MAX_EVENT_HOPS }),
    data: Type.String({ minLength: 1, maxLength: MAX_EVENT_DATA }),
  },
  { additionalProperties: false },
);

const check = Compile(WireEventSchema);
/** Every character of the data may be an escape of six; the rest is small. */
const MAX_CHARACTERS = 6 * MAX_EVENT_DATA + 2_000;

export function writeWireEvent({ id, name, source, at, hops, data }: HostEvent, host: string): string {
  return JSON.stringify({ host, id, name, source, at, hops, data });
}

/** Undefined for what no host of ours wrote. */
export function readWireEvent(text: string): { readonly host: string; readonly event: HostEvent } | undefined {
  if (text.length > MAX_CHARACTERS || nestsDeeperThan(text, 1)) return undefined;
  const value = parse(text);
  if (!check.Check(value)) return undefined;
  const { host, ...event } = value;
  // Modules emit names of theirs, and the chat host all others.
  if (isModuleEvent(event.name) !== (event.source !== CHAT_HOST)) return undefined;
  const data = rewrite(event.data);
  return data === undefined
    ? undefined
    : { host, event: { ...event, data, heardAt: performance.now(), isShared: true } };
}

/** Boundary: what goes on to guests is put between the words of this host unread, so it has to be JSON of its writing. */
function rewrite(text: string): string | undefined {
  if (nestsDeeperThan(text, MAX_EVENT_DEPTH)) return undefined;
  const data = parse(text);
  const written = data === undefined ? undefined : JSON.stringify(data);
  return written !== undefined && written.length <= MAX_EVENT_DATA ? written : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
