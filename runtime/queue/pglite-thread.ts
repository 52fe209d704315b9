/**
 * Runs in a worker thread and owns the embedded PostgreSQL. There is one session for all clients: requests are served in
 * the order in which they came, and while a client has a transaction open only that client is served.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { monotonicMs } from '../state/monotonic.ts';
import { createExchange } from './pglite-exchange.ts';
import { FolderFiles } from './pglite-files.ts';
import { type Answer, createSession, type Notification, type QueryResult, type WireValue } from './pglite-session.ts';

export interface ThreadSettings {
  readonly folder: string;
  readonly durability: 'process' | 'power-loss';
  /** A client that has a transaction open and says nothing for this long loses it. */
  readonly silentMs: number;
}

export type ThreadRequest =
  | {
      readonly kind: 'query';
      id: number;
      client: number;
      text: string;
      values: readonly WireValue[];
      /** By `monotonicMs`: who asked has given up by then, and must not find it done later. */
      notAfter?: number;
    }
  /** The client has gone; what it left open is rolled back. */
  | { readonly kind: 'release'; client: number }
  | { readonly kind: 'end'; id: number };

export type ThreadReply =
  | { readonly kind: 'ready' }
  /** The last thing that it says: it cannot start, or cannot go on. */
  | { readonly kind: 'broken'; reason: string }
  | { readonly kind: 'result'; id: number; result: QueryResult; flushes: number }
  | { readonly kind: 'error'; id: number; message: string; fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'notification'; notification: Notification };

/** Requests without a client of their own. */
export const NO_CLIENT = 0;

/** What PostgreSQL last wrote to its log: the only place where it says why it does not start. */
const LOG_LINES = 5;
/** "2026-11-23 08:24:30.962 UTC [42] FATAL:  …" */
const LOG_PREFIX = /^\S+ \S+ \S+ \[\d+\] (?=[A-Z]+: )/;
/** "It looks like you need to initdb" is no advice for a queue. */
const NOISE = /^HINT: |stand-alone backend|skipping missing configuration file|^pglitec: |^Aborted\(/;
/** What is thrown then says nothing that the log does not say better. */
const EMPTY_WORDS = /^Aborted\(|^PGlite failed to initialize/;

async function serve(settings: ThreadSettings, post: (reply: ThreadReply) => void): Promise<void> {
  const log: string[] = [];
  const keepLog = (line: string) => {
    const words = line.replace(LOG_PREFIX, '');
    if (words !== '' && !NOISE.test(words)) log.push(words);
    if (log.length > LOG_LINES) log.shift();
    return false;
  };
  const breakDown = (error: unknown): never => {
    const reason = reasonOf(error);
    const told = log.length > 0 && EMPTY_WORDS.test(reason) ? log : [reason, ...log];
    post({ kind: 'broken', reason: told.join('; ') });
    process.exit(1);
  };

  const files = new FolderFiles(settings.folder, { flush: settings.durability === 'power-loss' });
  const database = await PGlite.create({
    fs: files,
    startParams: startParams(settings.durability),
    // Segments of 1 MB instead of 16: a queue that does little needs little room.
    initDbStartParams: ['--wal-segsize=1'],
    onStdout: keepLog,
    onStderr: keepLog,
  }).catch(breakDown);

  const session = createSession(createExchange(database, breakDown));
  const run = (text: string, values: readonly WireValue[]): Answer => {
    try {
      return session.run(text, values);
    } catch (error) {
      return breakDown(error);
    }
  };
  const floor = createFloor(settings.silentMs, {
    run,
    post,
    flushes: () => files.flushes,
    async end(id) {
      await database.close();
      post({ kind: 'result', id, result: { rows: [], rowCount: null, command: 'END' }, flushes: files.flushes });
      parentPort?.close();
    },
  });
  parentPort?.on('message', (request: ThreadRequest) => floor.take(request));
  post({ kind: 'ready' });
}

/** As WASI numbers them. */
const FILE_ERRORS: Readonly<Record<number, string>> = {
  2: 'permission denied (EACCES)',
  29: 'input/output error (EIO)',
  44: 'no such file (ENOENT)',
  51: 'no space left on the disk (ENOSPC)',
  63: 'operation not permitted (EPERM)',
  69: 'the disk is read-only (EROFS)',
};

/** Errors of Emscripten's files are no errors, and have a number only. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && !('errno' in error)) return error.message;
  if (typeof error !== 'object' || error === null || !('errno' in error)) return String(error);
  return `its files cannot be used: ${FILE_ERRORS[Number(error.errno)] ?? `error ${String(error.errno)}`}`;
}

function startParams(durability: ThreadSettings['durability']): string[] {
  const power = durability === 'power-loss';
  return [
    ...PGlite.defaultStartParams.filter((parameter) => !(power && parameter === '-F')),
    ...set('search_path', 'bullmq'),
    // 128 MB would be the default: as fast, and far too much for a queue.
    ...set('shared_buffers', '16MB'),
    ...set('max_wal_size', '32MB'),
    ...set('min_wal_size', '2MB'),
    // Statistics are for choosing between indexes here: a small sample does, and holds nobody up.
    ...set('default_statistics_target', '10'),
    // `fdatasync`, the default on Linux, does nothing in WebAssembly.
    ...(power ? [...set('fsync', 'on'), ...set('wal_sync_method', 'fsync')] : []),
  ];
}

const set = (name: string, value: string): string[] => ['-c', `${name}=${value}`];

interface FloorParts {
  run(text: string, values: readonly WireValue[]): Answer;
  post(reply: ThreadReply): void;
  flushes(): number;
  end(id: number): Promise<void>;
}

/** Who may speak: everybody in turn, or the one whose transaction is open. */
function createFloor(silentMs: number, { run, post, flushes, end }: FloorParts) {
  const waiting: ThreadRequest[] = [];
  const lost = new Set<number>();
  let owner = NO_CLIENT;
  let silence: NodeJS.Timeout | undefined;

  const next = (): ThreadRequest | undefined => {
    if (owner === NO_CLIENT) return waiting.shift();
    const index = waiting.findIndex((request) => request.kind !== 'end' && request.client === owner);
    return index < 0 ? undefined : waiting.splice(index, 1)[0];
  };

  const settle = () => {
    for (let request = next(); request !== undefined; request = next()) answer(request);
    clearTimeout(silence);
    if (owner !== NO_CLIENT) silence = setTimeout(takeAway, silentMs);
  };

  const takeAway = () => {
    lost.add(owner);
    rollBack();
    settle();
  };

  const rollBack = () => {
    tell(run('ROLLBACK', []));
    owner = NO_CLIENT;
  };

  const tell = ({ notifications }: Answer) => {
    for (const notification of notifications) post({ kind: 'notification', notification });
  };

  const answer = (request: ThreadRequest) => {
    if (request.kind === 'end') {
      void end(request.id);
    } else if (request.kind === 'release') {
      lost.delete(request.client);
      if (owner === request.client && owner !== NO_CLIENT) rollBack();
    } else if (lost.delete(request.client)) {
      refuse(request.id, '25P03', `The transaction was rolled back: its client said nothing for ${silentMs} ms.`);
    } else if (request.notAfter !== undefined && monotonicMs() > request.notAfter) {
      refuse(request.id, 'ECONNREFUSED', 'The embedded queue was too busy to begin this in time; it was not done.');
    } else {
      query(request);
    }
  };

  const query = ({ id, client, text, values }: ThreadRequest & { kind: 'query' }) => {
    const given = run(text, values);
    if (given.inTransaction && client === NO_CLIENT) {
      rollBack();
      refuse(id, '25000', 'A transaction needs a client of its own: ask the pool to connect.');
      return;
    }
    owner = given.inTransaction ? client : NO_CLIENT;
    if ('error' in given.outcome) {
      const { error } = given.outcome;
      post({ kind: 'error', id, message: error.message, fields: { ...error } });
    } else {
      post({ kind: 'result', id, result: given.outcome.result, flushes: flushes() });
    }
    tell(given);
  };

  const refuse = (id: number, code: string, message: string) =>
    post({ kind: 'error', id, message, fields: { code, severity: 'ERROR' } });

  return {
    take(request: ThreadRequest) {
      waiting.push(request);
      settle();
    },
  };
}

const port = parentPort;
if (port) void serve(workerData as ThreadSettings, (reply) => port.postMessage(reply));
