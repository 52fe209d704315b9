/** One PostgreSQL session over the wire protocol of PGlite; what it answers is what node-postgres would answer. */
import { EventEmitter } from 'node:events';
import { type DatabaseError, parse, serialize } from 'pg-protocol';
import { getTypeParser } from 'pg-types';

/** A parameter as it goes over the wire. */
export type WireValue = string | Uint8Array | null;

export interface QueryResult {
  readonly rows: Record<string, unknown>[];
  readonly rowCount: number | null;
  readonly command: string;
}

export interface Notification {
  readonly channel: string;
  readonly payload: string;
}

export interface Answer {
  readonly outcome: { readonly result: QueryResult } | { readonly error: DatabaseError };
  readonly notifications: readonly Notification[];
  /** A transaction is open. */
  readonly inTransaction: boolean;
}

export interface Session {
  /** @throws Error when the database is beyond repair and its thread must end */
  run(text: string, values: readonly WireValue[]): Answer;
}

/** More texts than BullMQ and the host have together; the longest unused one makes room. */
const MAX_PREPARED = 300;
/** "cached plan must not change result type": to be prepared again. */
const STALE_PLAN = '0A000';
/**
 * PGlite swallows what it did not expect, such as an overflow of the stack, and is in disorder from then on: a statement
 * or portal that was just made is unknown, the query was empty, or there is no answer at all.
 */
const DISORDER: ReadonlySet<string | undefined> = new Set(['FATAL', 'PANIC', '26000', '34000']);

export function createSession(exchange: (message: Uint8Array) => Uint8Array): Session {
  const prepared = new Map<string, string>();
  const receive = createReceiver();
  let made = 0;

  const extendedQuery = (text: string, values: readonly WireValue[]): Buffer => {
    const known = prepared.get(text);
    const name = known ?? `s${++made}`;
    const parts = known === undefined ? [...dropOldest(prepared), serialize.parse({ name, text, types: [] })] : [];
    // Last in the map is used last.
    prepared.delete(text);
    prepared.set(text, name);
    return Buffer.concat([
      ...parts,
      serialize.bind({
        statement: name,
        values: values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value)),
      }),
      serialize.describe({ type: 'P', name: '' }),
      serialize.execute({ portal: '', rows: 0 }),
      serialize.sync(),
    ]);
  };

  return {
    run(text, values) {
      const isNew = !prepared.has(text);
      const message = values.length === 0 ? serialize.query(text) : extendedQuery(text, values);
      const reply = readReply(receive(exchange(message)));
      if (isDisorder(reply)) throw new Error(`The database broke off: ${reply.error?.message ?? 'no answer'}.`);
      if (reply.error && ((isNew && !reply.parsed) || reply.error.code === STALE_PLAN)) prepared.delete(text);
      return {
        outcome: reply.error ? { error: reply.error } : { result: reply.result },
        notifications: reply.notifications,
        inTransaction: reply.status !== 'I',
      };
    },
  };
}

function isDisorder({ error, ended, status }: Reply): boolean {
  return !ended || status === undefined || DISORDER.has(error?.severity) || DISORDER.has(error?.code);
}

function dropOldest(prepared: Map<string, string>): Buffer[] {
  const [oldest] = prepared;
  if (prepared.size < MAX_PREPARED || oldest === undefined) return [];
  prepared.delete(oldest[0]);
  return [serialize.close({ type: 'S', name: oldest[1] })];
}

/** The parser's door is a stream: this one hands over what it gets within the same call. */
function createReceiver(): (bytes: Uint8Array) => BackendMessage[] {
  const stream = new EventEmitter();
  let messages: BackendMessage[] = [];
  void parse(stream as unknown as NodeJS.ReadableStream, (message) => messages.push(message as BackendMessage));
  return (bytes) => {
    messages = [];
    stream.emit('data', Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return messages;
  };
}

type BackendMessage =
  | { name: 'parseComplete' }
  | { name: 'rowDescription'; fields: readonly { name: string; dataTypeID: number }[] }
  | { name: 'dataRow'; fields: readonly (string | null)[] }
  | { name: 'commandComplete'; text: string }
  | { name: 'notification'; channel: string; payload: string }
  | { name: 'readyForQuery'; status: string }
  | (DatabaseError & { name: 'error' });

interface Reply {
  result: QueryResult;
  error?: DatabaseError;
  status?: string;
  notifications: Notification[];
  /** The statement came to an end, good or bad. */
  ended: boolean;
  /** The server knows the statement. */
  parsed: boolean;
}

type Column = readonly [name: string, read: (text: string) => unknown];

/** Of several statements in one text the last one's result counts, and the first one's error. */
function readReply(messages: readonly BackendMessage[]): Reply {
  const reply: Reply = {
    result: { rows: [], rowCount: null, command: '' },
    notifications: [],
    ended: false,
    parsed: false,
  };
  let columns: Column[] = [];
  let rows: Record<string, unknown>[] = [];
  for (const message of messages) {
    switch (message.name) {
      case 'parseComplete':
        reply.parsed = true;
        break;
      case 'rowDescription':
        columns = message.fields.map((field) => [field.name, getTypeParser(field.dataTypeID, 'text')]);
        break;
      case 'dataRow':
        rows.push(readRow(columns, message.fields));
        break;
      case 'commandComplete':
        reply.result = { rows, ...readTag(message.text) };
        reply.ended = true;
        rows = [];
        break;
      case 'error':
        reply.error ??= message;
        reply.ended = true;
        break;
      case 'notification':
        reply.notifications.push({ channel: message.channel, payload: message.payload });
        break;
      case 'readyForQuery':
        reply.status = message.status;
        break;
    }
  }
  return reply;
}

function readRow(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [index, [name, read]] of columns.entries()) {
    const text = fields[index] ?? null;
    row[name] = text === null ? null : read(text);
  }
  return row;
}

/** "INSERT 0 3", "SELECT 1", "BEGIN" */
function readTag(tag: string): { command: string; rowCount: number | null } {
  const [command = '', first, second] = tag.split(' ');
  const count = second ?? first;
  return { command, rowCount: count !== undefined && /^\d+$/.test(count) ? Number(count) : null };
}
