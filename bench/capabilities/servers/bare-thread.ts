/** The far end: asks so many questions, so many in flight, and says when all of them have been answered. */
import { parentPort } from 'node:worker_threads';
import { type CallQuestion, KEY } from '../call-question.ts';

export interface BareReply {
  readonly id: number;
  readonly value: string;
}

const port = parentPort;
const waiting = new Map<number, (value: string) => void>();
let lastId = 0;

function call(key: string): Promise<string> {
  const id = ++lastId;
  port?.postMessage({ id, key });
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function run({ calls, inFlight }: CallQuestion): Promise<void> {
  let left = calls;
  const lane = async (): Promise<void> => {
    while (left-- > 0) JSON.parse(await call(KEY));
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  port?.postMessage('done');
}

port?.on('message', (message: CallQuestion | BareReply) => {
  if ('calls' in message) {
    void run(message);
    return;
  }
  waiting.get(message.id)?.(message.value);
  waiting.delete(message.id);
});
