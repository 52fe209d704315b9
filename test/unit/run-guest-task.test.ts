import { describe, expect, it } from 'vitest';
import { type Instance, InstanceGone } from '../../runtime/cells/instance.ts';
import { runGuestTask } from '../../runtime/modules/run-guest-task.ts';

interface Answered {
  readonly stacks: string[];
  readonly discarded: unknown[];
  readonly result: Promise<string | undefined>;
}

/** What the host makes of a guest that answers so. */
function answer(outcome: unknown, isStopping = false): Answered {
  const stacks: string[] = [];
  const discarded: unknown[] = [];
  const instance = {
    isStopping,
    session: { discard: (body: unknown) => discarded.push(body) },
    runTask: () => Promise.resolve(outcome),
  } as unknown as Instance;
  const result = runGuestTask(
    instance,
    { task: 'refresh', jobId: '1', attempt: 1, slot: null, data: 'null' },
    { timeoutMs: 1, graceMs: 1, signal: new AbortController().signal },
    (stack) => stacks.push(stack),
  );
  return { stacks, discarded, result };
}

describe('what a guest says of its task', () => {
  it('is kept as JSON that the host has written', async () => {
    expect(await answer({ ok: true, result: ' { "a" : [ 1.0, "\\u0041" ] } ' }).result).toBe('{"a":[1,"A"]}');
    expect(await answer({ ok: true, result: '{"__proto__":{"x":1}}' }).result).toBe('{"__proto__":{"x":1}}');
  });

  it.each([
    ['no JSON', '{"a":'],
    ['more than one value', '1 2'],
    ['nothing', ''],
    ['too deep', `${'['.repeat(61)}${']'.repeat(61)}`],
    ['longer once it is written out', `[${Array.from({ length: 3_000 }, () => '1e20').join()}]`],
  ])('succeeds without a result that is %s', async (_what, result) => {
    expect(await answer({ ok: true, result }).result).toBeUndefined();
  });

  it.each([
    undefined,
    null,
    'ok',
    [],
    {},
    { ok: 1 },
    { ok: true, result: 1 },
    { ok: true, result: 'x'.repeat(16_001) },
    { ok: true, more: 1 },
    { ok: false },
    { ok: false, code: 'MODULE_ERROR' },
    { ok: false, code: 'TASK_TIMEOUT', message: 'a code that only the host may use' },
    { ok: false, code: 'INTERNAL', message: 'x' },
    { ok: false, code: 'MODULE_ERROR', message: 'x'.repeat(2_001) },
    { ok: false, code: 'MODULE_ERROR', message: 'x', headers: [] },
  ])('is refused in any other shape: %j', async (outcome) => {
    await expect(answer(outcome).result).rejects.toMatchObject({
      code: 'INVALID_MODULE_RESPONSE',
      message: expect.stringContaining('refresh'),
    });
  });

  it('leaves no body behind that nobody reads', async () => {
    const { result, discarded } = answer({ ok: true, body: { kind: 'stream', stream: 7 } });
    await expect(result).rejects.toMatchObject({ code: 'INVALID_MODULE_RESPONSE' });
    expect(discarded).toEqual([{ kind: 'stream', stream: 7 }]);
  });

  it('gives its stack to the operator’s log and to nobody else', async () => {
    const { result, stacks } = answer({ ok: false, code: 'MODULE_ERROR', message: 'no', stack: 'Error: at secret.ts' });
    const error = await result.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'MODULE_ERROR', message: 'no' });
    expect(JSON.stringify(error) + (error as Error).stack).not.toContain('secret.ts');
    expect(stacks).toEqual(['Error: at secret.ts']);
  });

  it('is no failure of the task while the host takes the module down', async () => {
    const failed = { ok: false, code: 'MODULE_ERROR', message: 'aborted' };
    await expect(answer(failed, true).result).rejects.toBeInstanceOf(InstanceGone);
    expect(await answer({ ok: true, result: '1' }, true).result).toBe('1');
  });
});
