import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../runtime/cells/instance.ts';
import { runGuestEvent } from '../../runtime/modules/run-guest-event.ts';

/** What the host makes of a guest that answers so. */
function answer(outcome: unknown) {
  const stacks: string[] = [];
  const discarded: unknown[] = [];
  const sent: string[][] = [];
  let starts = 0;
  const instance = {
    session: { discard: (body: unknown) => discarded.push(body) },
    invoke: (
      start: (invocation: number) => string[],
      { deadline }: { deadline: number },
      _signal: undefined,
      method: string,
    ) => {
      sent.push([...start(3), String(deadline > Date.now()), method]);
      return Promise.resolve(outcome);
    },
  } as unknown as Instance;
  const result = runGuestEvent(
    instance,
    { handler: 'onLogin', name: 'user.login', source: 'chat-host', at: 7, id: 'e1', data: '{"a":1}' },
    { timeoutMs: 10_000, signal: new AbortController().signal, onStart: () => void starts++ },
    (stack) => stacks.push(stack),
  ).then(
    () => 'ok',
    (error: unknown) => (error instanceof PlexiError ? error.code : error),
  );
  return { stacks, discarded, sent, result, starts: () => starts };
}

describe('one event to one guest', () => {
  it('is written by the host, with the data as it is, and begins once', async () => {
    const { sent, result, starts } = answer({ ok: true });
    expect([await result, starts()]).toEqual(['ok', 1]);
    expect(JSON.parse(sent[0]?.[0] ?? '')).toEqual({
      invocation: 3,
      handler: 'onLogin',
      name: 'user.login',
      source: 'chat-host',
      at: 7,
      id: 'e1',
      deadline: expect.any(Number),
    });
    expect(sent[0]?.slice(1)).toEqual(['{"a":1}', 'true', 'event']);
  });

  it('fails in the words of the module; its stack is for the operator', async () => {
    const { result, stacks } = answer({ ok: false, message: 'no', stack: 'at x' });
    expect([await result, stacks]).toEqual(['MODULE_ERROR', ['at x']]);
  });

  it.each([
    undefined,
    null,
    'ok',
    [],
    {},
    { ok: 1 },
    { ok: true, more: 1 },
    { ok: false },
    { ok: false, message: 7 },
    { ok: false, message: 'x'.repeat(2_001) },
    { ok: false, message: 'x', stack: 'x'.repeat(20_001) },
    { ok: false, message: 'x', code: 'INTERNAL' },
  ])('has no other outcome: %j', async (outcome) => {
    const { result, stacks } = answer(outcome);
    expect([await result, stacks]).toEqual(['INVALID_MODULE_RESPONSE', []]);
  });

  it('holds no body that a guest sends along', async () => {
    const { result, discarded } = answer({ ok: true, body: { stream: 5 } });
    expect([await result, discarded]).toEqual(['INVALID_MODULE_RESPONSE', [{ stream: 5 }]]);
  });
});
