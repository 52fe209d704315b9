import { answerWithin } from './answer-within.ts';

/** Waits for something to close, but not for ever: true when it ended well and in time. */
export function closeWithin(closing: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  return answerWithin(closing, deadlineMs).then(
    () => true,
    () => false,
  );
}
