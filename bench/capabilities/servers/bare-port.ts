/** A thread, a MessagePort and a Map behind it: what a call costs when there are no walls. */
import { Worker } from 'node:worker_threads';
import { serveParent } from '../../support/child-side.ts';
import { type CallQuestion, KEY, VALUE } from '../call-question.ts';

const entries = new Map([[KEY, JSON.stringify(VALUE)]]);
const thread = new Worker(new URL('./bare-thread.ts', import.meta.url));
let done: () => void = () => {};

thread.on('message', (message: { id: number; key: string } | 'done') => {
  if (message === 'done') done();
  else thread.postMessage({ id: message.id, value: entries.get(message.key) });
});

serveParent({ ready: true, answer: (question) => answer(question as CallQuestion), close: () => thread.terminate() });

/** Milliseconds. */
async function answer(question: CallQuestion): Promise<number> {
  const start = performance.now();
  await new Promise<void>((resolve) => {
    done = resolve;
    thread.postMessage(question);
  });
  return performance.now() - start;
}
