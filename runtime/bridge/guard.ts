/**
 * Boundary: what a guest may say. A message is a call of a listed capability method, a reply, or a word about a
 * stream; each is copied field by field into an object of ours, so that Comlink never sees a guest's object. Comlink
 * walks any path, knows CONSTRUCT, GET, SET, ENDPOINT and RELEASE, and throws on unknown handlers: none of that gets
 * past here (test/hostile/guard.test.ts).
 */
import type { StreamMessage } from '@plexichat/sdk/protocol/body-streams';

export type CapabilityMethod = (...args: unknown[]) => unknown;
/** capability → method → function; null prototypes, frozen. */
export type CallTable = Readonly<Record<string, Readonly<Record<string, CapabilityMethod>>>>;

export interface RawValue {
  readonly type: 'RAW';
  readonly value: unknown;
}

export interface CallMessage {
  readonly id: string;
  readonly type: 'APPLY';
  readonly path: [capability: string, method: string];
  readonly argumentList: RawValue[];
}

export interface ReplyMessage extends RawValue {
  readonly id: string;
}

export type GuestMessage =
  | { readonly kind: 'call'; readonly call: CallMessage }
  | { readonly kind: 'reply'; readonly reply: ReplyMessage }
  | { readonly kind: 'stream'; readonly message: StreamMessage }
  | { readonly kind: 'violation'; readonly reason: string };

const MAX_ID_LENGTH = 80;
const MAX_ARGUMENTS = 4;
const MAX_STREAM_ERROR_LENGTH = 500;

/** Copies a table of plain objects into the frozen, prototype-free form that the guard looks names up in. */
export function createCallTable(capabilities: Readonly<Record<string, Record<string, CapabilityMethod>>>): CallTable {
  const table: Record<string, Readonly<Record<string, CapabilityMethod>>> = Object.create(null);
  for (const [capability, methods] of Object.entries(capabilities)) {
    table[capability] = Object.freeze(Object.assign(Object.create(null), methods));
  }
  return Object.freeze(table);
}

export function readGuestMessage(message: unknown, table: CallTable): GuestMessage {
  if (!isRecord(message)) return violation('a message is not an object');
  if ('stream' in message) return readStreamMessage(message);
  if ('path' in message || message.type !== 'RAW') return readCall(message, table);
  return readReply(message);
}

function readReply(message: Record<string, unknown>): GuestMessage {
  const { id, value } = message;
  if (!isId(id) || hasOtherKeys(message, REPLY_KEYS)) return violation('a reply has another shape');
  return { kind: 'reply', reply: { id, type: 'RAW', value } };
}

function readCall(message: Record<string, unknown>, table: CallTable): GuestMessage {
  const { id, type, path, argumentList } = message;
  if (type !== 'APPLY') return violation(`a call of type ${describe(type)}, allowed is APPLY`);
  if (!isId(id) || hasOtherKeys(message, CALL_KEYS)) return violation('a call has another shape');
  if (!Array.isArray(path) || path.length !== 2) return violation('a path that is not [capability, method]');
  const [capability, method] = path;
  if (typeof capability !== 'string' || typeof method !== 'string' || table[capability]?.[method] === undefined) {
    return violation(`unknown call ${describe(capability)}.${describe(method)}`);
  }
  if (!Array.isArray(argumentList) || argumentList.length > MAX_ARGUMENTS)
    return violation('arguments are no short list');
  const copied: RawValue[] = [];
  for (const argument of argumentList) {
    if (!isRecord(argument) || argument.type !== 'RAW' || hasOtherKeys(argument, RAW_KEYS)) {
      return violation('an argument is not RAW');
    }
    copied.push({ type: 'RAW', value: argument.value });
  }
  return { kind: 'call', call: { id, type: 'APPLY', path: [capability, method], argumentList: copied } };
}

function readStreamMessage(message: Record<string, unknown>): GuestMessage {
  const { stream, op } = message;
  if (typeof stream !== 'number' || !Number.isSafeInteger(stream) || stream < 1)
    return violation('a stream has no number');
  switch (op) {
    case 'chunk':
    case 'end':
    case 'cancel':
      return { kind: 'stream', message: { stream, op } };
    case 'error': {
      const text = typeof message.message === 'string' ? message.message.slice(0, MAX_STREAM_ERROR_LENGTH) : '';
      return { kind: 'stream', message: { stream, op, message: text } };
    }
    case 'credit': {
      const { bytes } = message;
      if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 1)
        return violation('credit is no number');
      return { kind: 'stream', message: { stream, op, bytes } };
    }
    default:
      return violation(`unknown stream operation ${describe(op)}`);
  }
}

const CALL_KEYS: ReadonlySet<string> = new Set(['id', 'type', 'path', 'argumentList']);
const REPLY_KEYS: ReadonlySet<string> = new Set(['id', 'type', 'value']);
const RAW_KEYS: ReadonlySet<string> = new Set(['type', 'value']);

function hasOtherKeys(message: Record<string, unknown>, allowed: ReadonlySet<string>): boolean {
  // Its prototype is Object's, which has nothing that is enumerable: no list of keys is made.
  for (const key in message) if (!allowed.has(key)) return true;
  return false;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;
}

function violation(reason: string): GuestMessage {
  return { kind: 'violation', reason };
}
