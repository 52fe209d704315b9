/** One life of the thread that writes state.db: every request settles once, at the latest when the thread ends. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from './monotonic.ts';
import type { ThreadReply, ThreadRequest, ThreadSettings } from './state-thread.ts';
import { type Statement, StatementError, type StatementResult, unavailable } from './statement.ts';
import type { WireRequest, WireResult } from './write-batch.ts';

/** The database cannot be opened; the message says what to do. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

export interface StateLink {
  run(statements: readonly Statement[]): Promise<readonly StatementResult[]>;
  /** Ends the thread in order, after what was asked before; one that does not end is terminated. */
  close(): Promise<void>;
  terminate(reason: string): void;
}

/** Steps of the schema may take their time. */
const BOOT_MS = 60_000;
const CLOSE_MS = 10_000;
/** A request is begun within this time, or not at all. */
const BEGIN_MS = 5_000;
const LOOK_MS = 1_000;
/** A request has an answer after so many looks; looks are counted, since a machine that slept gave the thread no chance. */
const LATE_LOOKS = 10;
/** A thread that has not answered for so long hangs. */
const STUCK_LOOKS = 30;
const MAX_PENDING = 10_000;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface Pending {
  readonly bytes: number;
  looks: number;
  resolve(results: readonly StatementResult[]): void;
  reject(error: Error): void;
}

/** @throws StateError that says why the database cannot be opened */
export async function openLink(settings: ThreadSettings, onLost: (reason: string) => void): Promise<StateLink> {
  const thread = new Worker(new URL(`./state-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'plexi-state',
    workerData: settings,
    env: {},
    execArgv: [],
    stdin: false,
  });
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  /** The thread answers in the order in which it was asked. */
  const pending: Pending[] = [];
  let answered = 0;
  let pendingBytes = 0;
  let outgoing: WireRequest[] = [];
  let isReady = false;
  let isClosing = false;
  let lostBecause: string | undefined;

  const lose = (reason: string): void => {
    if (lostBecause !== undefined) return;
    lostBecause = reason;
    clearInterval(watch);
    clearTimeout(lateBoot);
    const error = unavailable('its thread ended; what was asked may have been done or not');
    for (const request of pending.splice(0).slice(answered)) request.reject(error);
    if (!isReady) ready.reject(new StateError(reason));
    else if (!isClosing) onLost(reason);
    void thread.terminate();
  };

  const settle = (result: WireResult): void => {
    const request = pending[answered++];
    if (request === undefined) return;
    pendingBytes -= request.bytes;
    if (result.kind === 'done') request.resolve(result.results);
    else if (result.kind === 'refused') request.reject(new StatementError(result.code, result.index, result.message));
    else request.reject(unavailable(result.reason));
  };

  const receive = (reply: ThreadReply): void => {
    if (lostBecause !== undefined) return;
    switch (reply.kind) {
      case 'ready':
        isReady = true;
        clearTimeout(lateBoot);
        ready.resolve();
        break;
      case 'broken':
        lose(reply.reason);
        break;
      case 'results':
        for (const result of reply.results) settle(result);
        pending.splice(0, answered);
        answered = 0;
        break;
    }
  };

  const look = (): void => {
    for (const request of pending) {
      request.looks += 1;
      if (request.looks >= LATE_LOOKS)
        request.reject(unavailable('it does not answer; what was asked may still be done'));
    }
    if ((pending[0]?.looks ?? 0) >= STUCK_LOOKS) lose('it did not answer for half a minute');
  };

  thread.on('message', receive);
  thread.on('error', (error: Error) => lose(error.message));
  thread.on('exit', (code) => {
    lose(`it ended with code ${code}`);
    gone.resolve();
  });
  const lateBoot = setTimeout(() => lose('it was not ready within a minute'), BOOT_MS);
  const watch = setInterval(look, LOOK_MS);
  watch.unref();

  const flush = (): void => {
    const requests = outgoing;
    outgoing = [];
    if (lostBecause === undefined) thread.postMessage({ requests } satisfies ThreadRequest);
  };

  const link: StateLink = {
    run(statements) {
      if (lostBecause !== undefined || isClosing) return Promise.reject(unavailable('its thread is not running'));
      const bytes = weigh(statements);
      if (pending.length >= MAX_PENDING || pendingBytes + bytes > MAX_PENDING_BYTES) {
        return Promise.reject(unavailable('too much waits to be written'));
      }
      pendingBytes += bytes;
      const { promise, resolve, reject } = Promise.withResolvers<readonly StatementResult[]>();
      pending.push({ bytes, looks: 0, resolve, reject });
      outgoing.push({ statements, notAfter: monotonicMs() + BEGIN_MS });
      // What is asked in one turn crosses as one message.
      if (outgoing.length === 1) queueMicrotask(flush);
      return promise;
    },
    async close() {
      if (!isClosing && lostBecause === undefined) {
        isClosing = true;
        if (outgoing.length > 0) flush();
        thread.postMessage({ end: true } satisfies ThreadRequest);
      }
      const late = setTimeout(() => {
        lose('it did not end in time');
        // One that waits for a disk which does not answer cannot be ended.
        gone.resolve();
      }, CLOSE_MS);
      await gone.promise;
      clearTimeout(late);
    },
    terminate: lose,
  };
  await ready.promise;
  return link;
}

const STATEMENT_BYTES = 256;

function weigh(statements: readonly Statement[]): number {
  let bytes = 0;
  for (const { params = [] } of statements) {
    bytes += STATEMENT_BYTES;
    for (const value of params) {
      if (typeof value === 'string') bytes += value.length * 2;
      else if (value instanceof Uint8Array) bytes += value.byteLength;
    }
  }
  return bytes;
}
