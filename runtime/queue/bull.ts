/** BullMQ objects on whatever backend: makes them, listens to their errors, slows them down when it fails, ends them. */
import {
  type BackendFactory,
  type IQueueBackend,
  type Processor,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { type ConsumerOptions, MAX_HOSTS_LOST } from './backend.ts';
import { withBrake } from './brake.ts';
import { closeWithin } from './close-within.ts';

export interface BullSettings<Connection> {
  /** What consumers, and without `producerConnection` producers too, hand to the factory. */
  readonly connection: Connection;
  readonly factory: BackendFactory<IQueueBackend, Connection>;
  /** For producers that must fail fast where consumers wait. */
  readonly producerConnection?: Connection;
  /** Of keys in Redis; other backends ignore it. */
  readonly prefix?: string;
  /** How long ended jobs stay. */
  readonly keepMs: number;
  readonly lockMs: number;
  readonly stalledMs: number;
  /** How long an idle consumer waits for a notification before it looks by itself. */
  readonly drainSeconds?: number;
  readonly onError: (error: Error) => void;
  /** While it says no, closing does not wait for jobs under way: they could not report how they ended. */
  readonly isOnline?: () => boolean;
}

export interface Bull {
  queue(name: string): Queue;
  consume(name: string, run: Processor, options: ConsumerOptions): Worker;
  close(): Promise<void>;
}

/** A consumer that is asked to close while its connection is lost waits for this before it tries again. */
const RETRY_MS = 1000;
const CLOSE_MS = 10_000;
const CLOSE_OFFLINE_MS = 1000;

export function createBull<Connection>(settings: BullSettings<Connection>): Bull {
  const queues = new Map<string, Queue>();
  const consumers = new Set<Worker>();
  const producer = queueOptions(settings);
  let closing: Promise<void> | undefined;
  const assertOpen = (name: string) => {
    if (closing) throw new Error(`The queue "${name}" cannot be used: its backend was closed.`);
  };

  return {
    queue(name) {
      const known = queues.get(name);
      if (known) return known;
      assertOpen(name);
      const queue = new Queue(name, producer, settings.factory) as unknown as Queue;
      // An 'error' that nobody hears ends the process.
      queue.on('error', settings.onError);
      queues.set(name, queue);
      return queue;
    },

    consume(name, run, options) {
      assertOpen(name);
      const stop = new AbortController();
      const factory = withBrake(settings.factory, stop.signal);
      const consumer = new Worker(name, run, consumerOptions(settings, options), factory) as unknown as Worker;
      consumer.on('error', settings.onError);
      consumer.once('closing', () => stop.abort());
      consumer.once('closed', () => consumers.delete(consumer));
      consumers.add(consumer);
      return consumer;
    },

    close() {
      const drainMs = settings.isOnline?.() === false ? CLOSE_OFFLINE_MS : CLOSE_MS;
      closing ??= closeAll(consumers, queues.values(), drainMs);
      return closing;
    },
  };
}

async function closeAll(consumers: Iterable<Worker>, queues: Iterable<Queue>, drainMs: number): Promise<void> {
  await Promise.all(Array.from(consumers, (consumer) => closeConsumer(consumer, drainMs)));
  await Promise.all(Array.from(queues, (queue) => closeWithin(queue.close(), CLOSE_MS)));
}

/** `close(true)` after `close()` does nothing, so the wait for jobs under way is a pause, and the close comes after it. */
async function closeConsumer(consumer: Worker, drainMs: number): Promise<void> {
  if (consumer.closing) {
    await closeWithin(consumer.closing, drainMs);
    return;
  }
  const finished = await closeWithin(consumer.pause(), drainMs);
  if (!finished) consumer.cancelAllJobs('The host stops.');
  await closeWithin(consumer.close(!finished), CLOSE_MS);
}

function queueOptions<Connection>(settings: BullSettings<Connection>): QueueOptions<Connection> {
  // By age and not by count: on PostgreSQL a count costs a scan of the queue for every job that ends.
  const kept = { age: Math.ceil(settings.keepMs / 1000) };
  return {
    connection: settings.producerConnection ?? settings.connection,
    ...(settings.prefix === undefined ? {} : { prefix: settings.prefix }),
    // A producer that waited for the server would neither fail fast nor ever be told.
    skipWaitingForReady: true,
    defaultJobOptions: { removeOnComplete: kept, removeOnFail: kept },
  } as QueueOptions<Connection>;
}

function consumerOptions<Connection>(
  settings: BullSettings<Connection>,
  options: ConsumerOptions,
): WorkerOptions<Connection> {
  return {
    ...options,
    connection: settings.connection,
    ...(settings.prefix === undefined ? {} : { prefix: settings.prefix }),
    ...(settings.drainSeconds === undefined ? {} : { drainDelay: settings.drainSeconds }),
    lockDuration: settings.lockMs,
    stalledInterval: settings.stalledMs,
    maxStalledCount: MAX_HOSTS_LOST,
    runRetryDelay: RETRY_MS,
  } as WorkerOptions<Connection>;
}
