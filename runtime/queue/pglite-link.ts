/** One life of the thread that owns the database: every request settles once, at the latest when the thread ends. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DatabaseError } from 'pg-protocol';
import { monotonicMs } from '../state/monotonic.ts';
import { closeWithin } from './close-within.ts';
import type { Notification, QueryResult, WireValue } from './pglite-session.ts';
import type { ThreadReply, ThreadRequest, ThreadSettings } from './pglite-thread.ts';
import { watchForStuck } from './stuck-watch.ts';

export interface LinkEvents {
  /** At the very start: resolves when the thread has ended, and until then nobody else may be in the folder. */
  readonly onThread: (gone: Promise<void>) => void;
  readonly onNotification: (notification: Notification) => void;
  /** The thread ends without being asked to; not told when opening fails. */
  readonly onLost: (reason: string) => void;
}

export interface Query {
  readonly client: number;
  readonly text: string;
  readonly values: readonly WireValue[];
  /** It is begun within this time, or not at all. */
  readonly beginMs?: number;
}

export interface Link {
  query(query: Query): Promise<QueryResult>;
  release(client: number): void;
  /** How often a file was flushed to the disk so far. */
  readonly flushes: number;
  /** Ends the database in order; a thread that does not manage to is terminated, and recovers when it is opened again. */
  close(): Promise<void>;
  terminate(reason: string): void;
}

/** Recovering after a kill reads what was written since the last checkpoint. */
const BOOT_MS = 120_000;
const CLOSE_MS = 15_000;
/** A thread that waits for a disk which does not answer cannot be ended. */
const TERMINATE_MS = 10_000;
const STACK_MB = 16;
const MAX_PENDING = 20_000;

interface Pending {
  resolve(result: QueryResult): void;
  reject(error: Error): void;
}

/** BullMQ tries again what failed with this code, and takes everything else for the job's own failure. */
export function connectionError(reason: string): Error {
  return Object.assign(new Error(`The embedded queue cannot be reached: ${reason}`), { code: 'ECONNREFUSED' });
}

/**
 * The thread may outlive what is thrown: see `onThread`.
 * @throws Error that says why the database cannot be opened
 */
export async function openLink(settings: ThreadSettings, events: LinkEvents, stop?: AbortSignal): Promise<Link> {
  const thread = new Worker(new URL(`./pglite-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'plexi-queue',
    workerData: settings,
    env: {},
    execArgv: [],
    stdin: false,
    // Functions of PostgreSQL call themselves; where this stack ends, the thread does.
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  thread.once('exit', () => gone.resolve());
  events.onThread(gone.promise);
  const pending = new Map<number, Pending>();
  let isReady = false;
  let isClosing = false;
  let lostBecause: string | undefined;
  let lastId = 0;
  let flushes = 0;

  const lose = (reason: string) => {
    if (lostBecause !== undefined) return;
    lostBecause = reason;
    stopWatching();
    for (const { reject } of pending.values()) reject(connectionError(reason));
    pending.clear();
    if (!isReady) ready.reject(new Error(reason));
    else if (!isClosing) events.onLost(reason);
    void thread.terminate();
  };

  const stopWatching = watchForStuck(
    () => pending.keys().next().value,
    (afterMs) => lose(`a request was not answered for ${afterMs / 1000} s`),
  );

  const receive = (reply: ThreadReply) => {
    switch (reply.kind) {
      case 'ready':
        isReady = true;
        ready.resolve();
        break;
      case 'broken':
        lose(reply.reason);
        break;
      case 'notification':
        events.onNotification(reply.notification);
        break;
      case 'result':
        flushes = reply.flushes;
        take(reply.id)?.resolve(reply.result);
        break;
      case 'error':
        take(reply.id)?.reject(Object.assign(new DatabaseError(reply.message, 0, 'error'), reply.fields));
        break;
    }
  };
  const take = (id: number) => {
    const request = pending.get(id);
    pending.delete(id);
    return request;
  };

  thread.on('message', receive);
  thread.on('error', (error: Error) => lose(error.message));
  thread.on('exit', (code) => lose(`its thread ended with code ${code}`));

  const send = (request: (id: number) => ThreadRequest): Promise<QueryResult> => {
    if (lostBecause !== undefined) return Promise.reject(connectionError(lostBecause));
    if (pending.size >= MAX_PENDING) {
      return Promise.reject(connectionError(`${MAX_PENDING} requests wait already, which is the limit`));
    }
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<QueryResult>();
    pending.set(id, { resolve, reject });
    thread.postMessage(request(id));
    return promise;
  };

  const link: Link = {
    query: ({ beginMs, ...query }) => {
      const begin = beginMs === undefined ? {} : { notAfter: monotonicMs() + beginMs };
      return send((id) => ({ kind: 'query', id, ...query, ...begin }));
    },
    release(client) {
      if (lostBecause === undefined) thread.postMessage({ kind: 'release', client } satisfies ThreadRequest);
    },
    get flushes() {
      return flushes;
    },
    async close() {
      isClosing = true;
      const late = setTimeout(() => lose(`it did not end within ${CLOSE_MS / 1000} s`), CLOSE_MS);
      await send((id) => ({ kind: 'end', id })).catch(() => undefined);
      await closeWithin(gone.promise, CLOSE_MS + TERMINATE_MS);
      clearTimeout(late);
    },
    terminate: lose,
  };

  const late = setTimeout(() => lose(`it was not ready within ${BOOT_MS / 1000} s`), BOOT_MS);
  const giveUp = () => lose('the host stops');
  if (stop?.aborted === true) giveUp();
  stop?.addEventListener('abort', giveUp, { once: true });
  try {
    await ready.promise;
  } finally {
    clearTimeout(late);
    stop?.removeEventListener('abort', giveUp);
  }
  return link;
}
