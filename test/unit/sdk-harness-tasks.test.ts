import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import { loadAuthorCode } from '../support/author-module.ts';

const CLEANUP = `
import { BaseModule, moduleEndpoint, moduleTask, UnrecoverableError } from '@plexichat/sdk';
export default class Cleanup extends BaseModule {
  @moduleTask({ schedule: '0 2 * * *' })
  async clean({ job, signal, progress, log }) {
    for (const step of [25, 50, 100]) progress(step, step === 100 ? 'done' : undefined);
    log('attempt ' + job.attempt);
    return { ...job, aborted: signal.aborted };
  }
  @moduleTask({ schedule: false }) fail({ job }) { throw job.data === 'for good' ? new UnrecoverableError('gone') : new Error('not yet'); }
  @moduleTask({ schedule: false }) wait({ signal }) { return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })); }
  @moduleTask({ schedule: false }) nothing() {}
  @moduleEndpoint('POST /later') async later({ body }) {
    try {
      return await this.tasks.enqueue(body.name, body.data, body.options);
    } catch (error) {
      return { code: error.code, message: error.message };
    }
  }
}`;

async function cleanup(fakes: object = {}) {
  const { default: Module } = await loadAuthorCode(CLEANUP);
  return createModuleHarness(Module, { fakes });
}

describe('harness.runTask', () => {
  it('runs a task and gives its result, its progress and its lines', async () => {
    const harness = await cleanup();
    expect(harness.declaration.tasks.map(({ name }) => name)).toEqual(['clean', 'fail', 'wait', 'nothing']);
    const slot = '2026-01-01T02:00:00.000Z';
    const run = await harness.runTask('clean', { data: { days: 3, since: new Date(0) }, attempt: 2, slot });
    expect(run).toEqual({
      ok: true,
      result: {
        id: expect.stringMatching(/^test-run-/),
        name: 'clean',
        data: { days: 3, since: '1970-01-01T00:00:00.000Z' },
        attempt: 2,
        slot,
        aborted: false,
      },
      code: undefined,
      message: undefined,
      progress: [{ percent: 25 }, { percent: 50 }, { percent: 100, note: 'done' }],
      logs: ['attempt 2'],
    });
    await harness.close();
  });

  it('has defaults: no data, the first attempt, no slot', async () => {
    const harness = await cleanup();
    expect((await harness.runTask('clean')).result).toMatchObject({ data: null, attempt: 1, slot: null });
    expect(await harness.runTask('nothing')).toMatchObject({ ok: true, result: undefined });
  });

  it('says how a run failed, and whether it would be tried again', async () => {
    const harness = await cleanup();
    expect(await harness.runTask('fail')).toMatchObject({
      ok: false,
      code: 'MODULE_ERROR',
      message: 'Cleanup.fail failed: Error: not yet',
    });
    expect(await harness.runTask('fail', { data: 'for good' })).toMatchObject({
      ok: false,
      code: 'TASK_UNRECOVERABLE',
    });
    expect(await harness.runTask('nope')).toMatchObject({
      ok: false,
      code: 'NOT_FOUND',
      message: 'The module has no task "nope"; it has clean, fail, wait, nothing.',
    });
  });

  it('passes an abort on, before and while it runs', async () => {
    const harness = await cleanup();
    const abort = new AbortController();
    const running = harness.runTask('wait', { signal: abort.signal });
    abort.abort();
    expect(await running).toMatchObject({ ok: false, message: expect.stringContaining('AbortError') });
    expect(await harness.runTask('wait', { signal: AbortSignal.abort() })).toMatchObject({ ok: false });
  });

  it('refuses data that is not JSON', async () => {
    const harness = await cleanup();
    await expect(harness.runTask('clean', { data: { by: new Map() } })).rejects.toThrow(
      'harness.runTask("clean"): the data is not JSON: a Map at by.',
    );
  });
});

describe('harness.enqueued', () => {
  const later = async (harness: Awaited<ReturnType<typeof cleanup>>, body: object) =>
    (await harness.request('POST', '/later', { body })).json();

  it('keeps what the module enqueued, and runs nothing of it', async () => {
    const harness = await cleanup();
    expect(await later(harness, { name: 'clean', data: { a: 1 }, options: { delay: 2.5 } })).toEqual({ id: 'test-1' });
    expect(await later(harness, { name: 'nothing' })).toEqual({ id: 'test-2' });
    expect(harness.enqueued).toEqual([
      { id: 'test-1', name: 'clean', data: { a: 1 }, delay: 2.5 },
      { id: 'test-2', name: 'nothing', data: null, delay: 0 },
    ]);
  });

  it('has no task that the module does not have', async () => {
    const harness = await cleanup();
    expect(await later(harness, { name: 'nope' })).toEqual({
      code: 'NOT_FOUND',
      message: 'The module has no task "nope"; it has clean, fail, wait, nothing.',
    });
    expect(harness.enqueued).toEqual([]);
  });

  it('lets a fake give ids, and fail as the queue would', async () => {
    const full = Object.assign(new Error('full'), { code: 'QUOTA_EXCEEDED' });
    const harness = await cleanup({
      tasks: ({ name }: { name: string }) => {
        if (name === 'clean') throw full;
        return 'mine';
      },
    });
    expect(await later(harness, { name: 'nothing' })).toEqual({ id: 'mine' });
    expect(await later(harness, { name: 'clean' })).toEqual({ code: 'QUOTA_EXCEEDED', message: 'full' });
    expect(harness.enqueued.map(({ id }) => id)).toEqual(['mine']);
  });

  it('tells when a fake only watches', async () => {
    const seen: string[] = [];
    const harness = await createModuleHarness((await loadAuthorCode(CLEANUP)).default, {
      fakes: { tasks: ({ name }) => void seen.push(name) },
    });
    await later(harness, { name: 'nothing' });
    expect([seen, harness.enqueued.length]).toEqual([['nothing'], 1]);
  });
});
