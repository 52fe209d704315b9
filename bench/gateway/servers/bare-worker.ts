/** Boots a bare Worker each time it is asked: one file, one message. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { childOptions, serveParent } from '../../support/child-side.ts';

export interface BareWorkerOptions {
  /** JavaScript, so that no type stripping is measured. */
  readonly file: string;
}

const { file } = childOptions<BareWorkerOptions>();

serveParent({ ready: true, answer: boot });

/** Milliseconds from `new Worker` to its message. */
async function boot(): Promise<number> {
  const start = performance.now();
  const worker = new Worker(file);
  await once(worker, 'message');
  const milliseconds = performance.now() - start;
  await worker.terminate();
  return milliseconds;
}
