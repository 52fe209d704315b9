/** Whether the server of the queue can be reached, told once per change; and which complaints are worth a line. */
import type { BackendEvents } from './backend.ts';
import { createRepeatFilter } from './repeats.ts';

export interface Reachability {
  readonly online: boolean;
  lost(reason: string): void;
  back(): void;
  /** An error of a queue, a consumer or a connection. A lost connection is no news here: `lost` tells it. */
  complain(error: Error): void;
  /** Resolves when the server can be reached; rejects when the signal aborts first. */
  whenOnline(signal: AbortSignal): Promise<void>;
}

/** Forty consumers that meet the same fault say the same thing forty times, and again at every attempt. */
const REPEAT_MS = 60_000;

export function createReachability(server: string, events: BackendEvents): Reachability {
  const waiting = new Set<() => void>();
  const isNew = createRepeatFilter(REPEAT_MS);
  let online = true;

  return {
    get online() {
      return online;
    },
    lost(reason) {
      if (!online) return;
      online = false;
      events.onOnline(false, `${server} cannot be reached: ${reason}`);
    },
    back() {
      if (online) return;
      online = true;
      for (const resume of waiting) resume();
      waiting.clear();
      events.onOnline(true, `${server} answers again`);
    },
    complain(error) {
      if (isConnectionLost(error) || !isNew(error.message)) return;
      events.onError(error);
    },
    whenOnline(signal) {
      if (online) return Promise.resolve();
      if (signal.aborted) return Promise.reject(connectionLost(signal.reason));
      return new Promise((resolve, reject) => {
        const give = () => {
          waiting.delete(resume);
          reject(connectionLost(signal.reason));
        };
        const resume = () => {
          signal.removeEventListener('abort', give);
          resolve();
        };
        signal.addEventListener('abort', give, { once: true });
        waiting.add(resume);
      });
    },
  };
}

/** The words by which BullMQ knows that a command is to be tried again, whatever the driver called the loss. */
export function connectionLost(cause: unknown): Error {
  return new Error('Connection is closed.', { cause });
}

const LOST_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'NR_CLOSED',
  // PostgreSQL: connection exceptions, and a server that stops, crashed or starts.
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '57P01',
  '57P02',
  '57P03',
]);

const LOST_WORDS = [
  'Connection is closed',
  'Connection terminated',
  'Connection ended',
  'connect ETIMEDOUT',
  'ECONNREFUSED',
  'Socket timeout',
  'Command timed out',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Client has encountered a connection error',
  "Stream isn't writeable",
  'max retries per request limit',
  'Failed to refresh slots cache',
  'None of startup nodes is available',
  'Cluster isn',
  'All sentinels are unreachable',
  'LOADING ',
  'CLUSTERDOWN',
];

export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && LOST_CODES.has(error.code)) return true;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isConnectionLost);
  return LOST_WORDS.some((words) => error.message.includes(words));
}

/** Words for the middle of a sentence; a host name with two addresses fails with an error that has none of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
