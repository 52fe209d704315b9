/** Runs in a worker thread: the one writer of state.db. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Migration } from './migrate.ts';
import { openDatabase } from './open-database.ts';
import { createWriteBatch, type WireRequest, type WireResult } from './write-batch.ts';

export interface ThreadSettings {
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** Requests of one turn of the host, or the word to end. */
export type ThreadRequest = { readonly requests: readonly WireRequest[] } | { readonly end: true };

export type ThreadReply =
  | { readonly kind: 'ready' }
  /** The last thing that it says: it cannot start, or cannot go on. */
  | { readonly kind: 'broken'; readonly reason: string }
  /** In the order of the requests. */
  | { readonly kind: 'results'; readonly results: readonly WireResult[] };

function serve(port: MessagePort, { file, migrations }: ThreadSettings): void {
  const post = (reply: ThreadReply): void => port.postMessage(reply);
  const breakDown = (reason: string): void => {
    post({ kind: 'broken', reason });
    port.close();
  };
  let database: ReturnType<typeof openDatabase>;
  try {
    database = openDatabase(file, migrations);
  } catch (error) {
    breakDown(error instanceof Error ? error.message : String(error));
    return;
  }
  const write = createWriteBatch(database);
  port.on('message', (first: ThreadRequest) => {
    const { requests, isEnd } = takeAll(port, first);
    if (requests.length > 0) {
      const { results, broken } = write(requests);
      post({ kind: 'results', results });
      if (broken !== undefined) {
        database.close();
        breakDown(broken);
        return;
      }
    }
    if (!isEnd) return;
    database.close();
    port.close();
  });
  post({ kind: 'ready' });
}

/** Everything that has arrived while the last batch was written. */
function takeAll(port: MessagePort, first: ThreadRequest): { requests: readonly WireRequest[]; isEnd: boolean } {
  const requests: WireRequest[] = [];
  for (let message: ThreadRequest | undefined = first; message !== undefined; message = next(port)) {
    if ('end' in message) return { requests, isEnd: true };
    requests.push(...message.requests);
  }
  return { requests, isEnd: false };
}

function next(port: MessagePort): ThreadRequest | undefined {
  return (receiveMessageOnPort(port) as { message: ThreadRequest } | undefined)?.message;
}

if (parentPort !== null) serve(parentPort, workerData as ThreadSettings);
