/** BullMQ with nothing around it: a queue, a consumer and a handler that does what the module's does. */
import { randomUUID } from 'node:crypto';
import { type JobsOptions, Queue, type QueueOptions, Worker, type WorkerOptions } from 'bullmq';
import { openEmbeddedBackend } from '../../../runtime/queue/embedded.ts';
import type { JobData } from '../../../runtime/tasks/job-data.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { PAYLOAD, WORK_TASK } from '../task-module.ts';
import { answerQueue, listenToConsumers, type QueueQuestion } from './queue-work.ts';

export interface RawQueueOptions {
  /** Without a URL the queue is embedded in the folder. */
  readonly redis: string | undefined;
  readonly folder: string;
  readonly concurrency: number;
  readonly keepMs: number;
}

interface RawQueue {
  readonly queue: Queue;
  close(): Promise<void>;
}

const QUEUE = 'raw';
const options = childOptions<RawQueueOptions>();
const data: JobData = { data: JSON.stringify(PAYLOAD), origin: 'operator', by: 'bench' };

listenToConsumers();
const { queue, close } = await (options.redis === undefined ? openEmbedded() : openRedis(options.redis));
serveParent({
  ready: true,
  answer: (question) => answerQueue({ queue, add }, question as QueueQuestion),
  close,
});

/** The options that the task room gives a job. */
async function add(): Promise<string> {
  const job: JobsOptions = { attempts: 4, backoff: { type: 'plexi' }, jobId: randomUUID() };
  const { id = '' } = await queue.add(WORK_TASK, data, job);
  return id;
}

async function handle({ data: given }: { data: JobData }): Promise<{ result: string }> {
  const { user } = JSON.parse(given.data) as typeof PAYLOAD;
  return { result: JSON.stringify({ greeted: user }) };
}

async function openEmbedded(): Promise<RawQueue> {
  const { folder, keepMs, concurrency } = options;
  const fail = (error: Error): void => void process.stderr.write(`${error.message}\n`);
  const backend = await openEmbeddedBackend(
    { folder, durability: 'process', prefix: 'raw', keepMs },
    { onOnline: () => {}, onError: fail },
  );
  backend.consume(QUEUE, handle, { concurrency });
  return { queue: backend.queue(QUEUE), close: () => backend.close() };
}

async function openRedis(url: string): Promise<RawQueue> {
  const kept = { age: options.keepMs / 1000 };
  const place: QueueOptions & WorkerOptions = { connection: { url }, prefix: 'raw' };
  const raw = new Queue(QUEUE, { ...place, defaultJobOptions: { removeOnComplete: kept, removeOnFail: kept } });
  const consumer = new Worker(QUEUE, handle, { ...place, concurrency: options.concurrency });
  await consumer.waitUntilReady();
  return {
    queue: raw,
    async close() {
      await consumer.close();
      await raw.close();
    },
  };
}
