/** The other end of children.ts: what runs in a program that a bench started. */
import type { FromChild } from './children.ts';

export function childOptions<Options>(): Options {
  return JSON.parse(process.argv[2] ?? 'null') as Options;
}

export interface ChildWork {
  readonly ready: unknown;
  readonly answer?: (question: unknown) => unknown;
  readonly close?: () => unknown;
}

/** Says that this process is ready, answers questions, and ends when the bench does. */
export function serveParent({ ready, answer = () => undefined, close = () => {} }: ChildWork): void {
  process.on('message', async (question) => {
    try {
      send({ answer: await answer(question) });
    } catch (error) {
      send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once('disconnect', async () => {
    try {
      await close();
    } finally {
      process.exit(0);
    }
  });
  // Ctrl-C reaches the whole process group; the bench ends its children in order.
  process.on('SIGINT', () => {});
  send({ ready });
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
