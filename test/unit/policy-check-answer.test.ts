import { describe, expect, it } from 'vitest';
import { checkAnswer } from '../../runtime/policy/check-answer.ts';

const JSON_PAIRS = [['content-type', 'application/json']] as [string, string][];

function endless() {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: () => {
      cancelled = true;
    },
  });
  return { stream, isCancelled: () => cancelled };
}

function check(stream: ReadableStream<Uint8Array>, waits: { ms: number; signal?: AbortSignal }) {
  return Promise.resolve(
    checkAnswer(
      { status: 200, headers: JSON_PAIRS, body: { kind: 'stream', stream } },
      { response: () => true, maxCheckedBytes: 1000 },
      { deadline: 1000 + waits.ms, now: () => 1000, signal: waits.signal },
    ),
  );
}

describe('a JSON stream that has to be checked', () => {
  it('is given up at the deadline when it never ends', async () => {
    const { stream, isCancelled } = endless();
    await expect(check(stream, { ms: 5 })).rejects.toMatchObject({ code: 'MODULE_TIMEOUT', status: 504 });
    expect(isCancelled()).toBe(true);
  });

  it('is given up when the client goes away', async () => {
    const { stream, isCancelled } = endless();
    const client = new AbortController();
    const checked = check(stream, { ms: 60_000, signal: client.signal });
    client.abort();
    await expect(checked).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(isCancelled()).toBe(true);
  });

  it('is given up at once when the client has gone already', async () => {
    const { stream } = endless();
    await expect(check(stream, { ms: 60_000, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CLIENT_CLOSED',
    });
  });

  it('is cancelled when it grows too large', async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(400)),
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(check(stream, { ms: 60_000 })).rejects.toMatchObject({ code: 'INVALID_MODULE_RESPONSE' });
    expect(cancelled).toBe(true);
  });
});
