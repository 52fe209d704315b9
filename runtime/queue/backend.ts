/** What the rest of the host knows of the queue's home: an embedded database, Redis or PostgreSQL look the same from here. */
import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';

/** A run that was under way on more dying hosts fails for good; with BullMQ's own 1, two deploys in a row lose jobs. */
export const MAX_HOSTS_LOST = 10;

export type BackendKind = 'embedded' | 'redis' | 'postgres';

export interface QueueBackend {
  readonly kind: BackendKind;
  /** No other host can be on this queue while this one has it. */
  readonly exclusive: boolean;
  /** False from the moment that the server cannot be reached until it answers again. */
  readonly online: boolean;
  /** The producer's side of a queue; the same object for the same name, closed with the backend. */
  queue(name: string): Queue;
  /** Starts taking jobs of a queue; whoever called closes it, at the latest `close` does. */
  consume(name: string, run: Processor, options: ConsumerOptions): Worker;
  readonly records: RecordStore;
  /**
   * Frees what died with an earlier life of this host: on an exclusive backend every job that is marked as running was
   * cut off, so it becomes runnable at once. Does nothing where other hosts may hold the locks.
   */
  releaseOrphans(): Promise<void>;
  /** Ends every consumer and queue, then the connection; safe to call twice. */
  close(): Promise<void>;
}

export type ConsumerOptions = Pick<WorkerOptions, 'concurrency' | 'settings'>;

/** Small facts that belong to the queue and not to a host: pauses, failures in a row, who serves which module. */
export interface RecordStore {
  read(key: string): Promise<string | undefined>;
  /** Every record whose key starts so. */
  list(prefix: string): Promise<ReadonlyMap<string, string>>;
  write(key: string, text: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds one to a number (0 when there is none) and answers the sum; two hosts never see the same one. */
  increment(key: string): Promise<number>;
}

export interface BackendEvents {
  /** The server was lost, or is back; once per change. */
  readonly onOnline: (online: boolean, reason: string) => void;
  /** Anything else that a queue or a consumer complains about while the server is there. */
  readonly onError: (error: Error) => void;
}
