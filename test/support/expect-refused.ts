/** What every refusal of the host's own looks like, whoever made it: the pipeline, the listener, or by hand. */
import { expect } from 'vitest';
import type { RawAnswer, RawExchange } from './raw-http.ts';

export function expectProblem(answer: RawAnswer | undefined, status: number | readonly number[]): void {
  expect([status].flat()).toContain(answer?.status);
  expect(answer?.headers['content-type']).toBe('application/problem+json');
  expect(answer?.headers['x-request-id']).toMatch(/^[\w-]{8,64}$/);
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({
    status: answer?.status,
    code: expect.stringMatching(/^[A-Z_]+$/),
    requestId: answer?.headers['x-request-id'],
  });
}

/** One refusal, and the end of the connection. */
export function expectRefused({ answers, isClosed }: RawExchange, status: number | readonly number[] = 400): void {
  expect(answers).toHaveLength(1);
  expectProblem(answers[0], status);
  expect(answers[0]?.headers.connection).toBe('close');
  expect(isClosed).toBe(true);
}
