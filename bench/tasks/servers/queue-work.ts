/** What a program with a consumer does when the bench asks: the same for our host and for the raw queue. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Queue, Worker } from 'bullmq';
import { PAYLOAD } from '../task-module.ts';

export interface QueueSide {
  readonly queue: Queue;
  /** Puts one job into the queue and answers its id. */
  add(): Promise<string>;
}

export type QueueQuestion =
  | { readonly kind: 'drain'; readonly jobs: number }
  | { readonly kind: 'single'; readonly jobs: number };

export interface DrainAnswer {
  readonly jobsPerSecond: number;
  readonly addsPerSecond: number;
  /** Processor time of this process per job that it worked off. */
  readonly microsecondsPerJob: number;
}

/** Milliseconds from the call of add to the consumer's word that the job is done, one per job. */
export type SingleAnswer = readonly number[];

const ADDS_AT_ONCE = 50;
const PAUSE_MS = 5;
const DEADLINE_MS = 300_000;

/** Called with what a job left in the queue. */
type Listener = (result: unknown) => void;
const listeners = new Set<Listener>();
/** A side that left something out would win. */
const EXPECTED = JSON.stringify({ result: JSON.stringify({ greeted: PAYLOAD.user }) });

/** A host keeps its consumers to itself; what one emits once the queue has confirmed the end of a job is heard here. */
export function listenToConsumers(): void {
  const emit = Worker.prototype.emit;
  Worker.prototype.emit = function (this: Worker, ...call: Parameters<typeof emit>) {
    if (call[0] === 'completed') for (const listener of listeners) listener(call[2]);
    if (call[0] === 'failed') process.stderr.write(`A job failed: ${String(call[2])}\n`);
    return emit.apply(this, call);
  } as typeof emit;
}

export function answerQueue(side: QueueSide, question: QueueQuestion): Promise<DrainAnswer | SingleAnswer> {
  return question.kind === 'drain' ? drain(side, question.jobs) : addSingly(side, question.jobs);
}

/** Fills the queue while it is paused, then lets the consumer work it off. */
async function drain({ queue, add }: QueueSide, jobs: number): Promise<DrainAnswer> {
  await queue.pause();
  const fillStart = performance.now();
  let left = jobs;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await add();
    }
  };
  await Promise.all(Array.from({ length: ADDS_AT_ONCE }, lane));
  const fillMs = performance.now() - fillStart;
  const { promise: done, count } = countCompleted(jobs);
  const processorStart = process.cpuUsage();
  const start = performance.now();
  await queue.resume();
  await inTime(done, () => `${count()} of ${jobs} jobs were done`);
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(processorStart);
  return {
    jobsPerSecond: (jobs * 1000) / milliseconds,
    addsPerSecond: (jobs * 1000) / fillMs,
    microsecondsPerJob: (user + system) / jobs,
  };
}

async function addSingly({ add }: QueueSide, jobs: number): Promise<SingleAnswer> {
  const times: number[] = [];
  for (let count = 0; count < jobs; count++) {
    // The consumer goes back to waiting meanwhile.
    await sleep(PAUSE_MS);
    const { promise: done } = countCompleted(1);
    const start = performance.now();
    await add();
    await inTime(done, () => 'a single job was not done');
    times.push(performance.now() - start);
  }
  return times;
}

function countCompleted(jobs: number): { promise: Promise<void>; count: () => number } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let count = 0;
  const listener: Listener = (result) => {
    if (JSON.stringify(result) !== EXPECTED)
      reject(new Error(`A job left ${JSON.stringify(result)}, not ${EXPECTED}.`));
    if (++count < jobs) return;
    listeners.delete(listener);
    resolve();
  };
  listeners.add(listener);
  return { promise, count: () => count };
}

async function inTime(work: Promise<void>, facts: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`The deadline is over: ${facts()}.`)), DEADLINE_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
