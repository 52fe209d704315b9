import { createFakeFiles, createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import CleanupModule from '../module.ts';

const DAY_MS = 86_400_000;

const aged = (days: number) => ({ content: 'x'.repeat(10), modified: new Date(Date.now() - days * DAY_MS) });

async function start(tree: Parameters<typeof createFakeFiles>[0], grants?: readonly string[], days = 7) {
  const files = createFakeFiles(tree, grants === undefined ? {} : { grants });
  const harness = await createModuleHarness(CleanupModule, {
    config: { settings: { folder: '/srv/temp', max_age_days: days } },
    fakes: { files },
  });
  return { files, harness };
}

describe('cleanUp', () => {
  it('removes old files in all folders below, and leaves the others', async () => {
    const { files, harness } = await start({
      '/srv/temp/old': aged(8),
      '/srv/temp/new': aged(6),
      '/srv/temp/deep/er/old': aged(400),
      '/srv/temp/deep/er/new': aged(0),
      '/srv/beside': aged(400),
    });
    expect(await harness.runTask('cleanUp')).toMatchObject({ ok: true, result: { removed: 2 } });
    expect(files.paths()).toEqual(['/srv/beside', '/srv/temp/deep/er/new', '/srv/temp/new']);
  });

  it('says how far it is', async () => {
    const { harness } = await start({ '/srv/temp/a': aged(8), '/srv/temp/b': aged(8) });
    const { progress, logs } = await harness.runTask('cleanUp');
    expect(progress).toEqual([
      { percent: 50, note: '1 of 2' },
      { percent: 100, note: '2 of 2' },
    ]);
    expect(logs).toEqual(['2 files are older than 7 days.']);
  });

  it('takes the age from its settings', async () => {
    const { files, harness } = await start({ '/srv/temp/a': aged(2), '/srv/temp/b': aged(0.5) }, undefined, 1);
    await harness.runTask('cleanUp');
    expect(files.paths()).toEqual(['/srv/temp/b']);
    await expect(start({}, undefined, 0)).rejects.toThrow('settings.max_age_days');
  });

  it('reads a folder of many pages', async () => {
    const names = Array.from({ length: 2500 }, (_, index) => `/srv/temp/${index}`);
    const { files, harness } = await start(Object.fromEntries(names.map((name) => [name, aged(8)])));
    expect(await harness.runTask('cleanUp')).toMatchObject({ ok: true, result: { removed: 2500 } });
    expect(files.paths()).toEqual([]);
  });

  it('fails when a file stays, after it has removed the others, and is done with the rest the next time', async () => {
    const { files, harness } = await start({ '/srv/temp/a': aged(8), '/srv/temp/b': aged(8), '/srv/temp/c': aged(8) });
    const { remove } = harness.module.files;
    let isBusy = true;
    Object.defineProperty(harness.module, 'files', {
      value: {
        ...harness.module.files,
        remove: async (path: string) => {
          if (isBusy && path.endsWith('b')) throw new Error('is in use');
          return remove(path);
        },
      },
    });
    const run = await harness.runTask('cleanUp');
    expect(run).toMatchObject({ ok: false, message: expect.stringContaining('1 of 3 files could not be removed') });
    expect(run.logs).toContain('/srv/temp/b stays: is in use');
    expect(files.paths()).toEqual(['/srv/temp/b']);
    isBusy = false;
    expect(await harness.runTask('cleanUp', { attempt: 2 })).toMatchObject({ ok: true, result: { removed: 1 } });
  });

  it.each([
    ['to look', ['files:write:/srv/temp'], 'files:read:/srv/temp'],
    ['to remove', ['files:read:/srv/temp'], 'files:write:/srv/temp'],
  ])('is not tried again when nobody has granted it %s', async (_what, grants, missing) => {
    const { files, harness } = await start({ '/srv/temp/a': aged(8) }, grants);
    expect(await harness.runTask('cleanUp')).toMatchObject({
      ok: false,
      code: 'TASK_UNRECOVERABLE',
      message: expect.stringContaining(missing),
    });
    expect(files.paths()).toEqual(['/srv/temp/a']);
  });

  it('stops at its deadline', async () => {
    const { files, harness } = await start({ '/srv/temp/a': aged(8) });
    const run = await harness.runTask('cleanUp', { signal: AbortSignal.abort() });
    expect([run.ok, files.paths()]).toEqual([false, ['/srv/temp/a']]);
  });
});

it('GET /preview tells what would go, and removes nothing', async () => {
  const { files, harness } = await start({ '/srv/temp/a': aged(8), '/srv/temp/b': aged(1) });
  const answer = await harness.request('GET', '/preview');
  expect(answer.json()).toEqual({ older_than: expect.any(String), files: 1, bytes: 10, first: ['/srv/temp/a'] });
  expect(files.paths()).toEqual(['/srv/temp/a', '/srv/temp/b']);
});
