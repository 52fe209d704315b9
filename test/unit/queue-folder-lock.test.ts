import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holdFolder } from '../../runtime/queue/folder-hold.ts';
import { FolderLockedError, lockFolder } from '../../runtime/queue/folder-lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('the lock of a folder', () => {
  it('does not need the note about its holder', () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'lock.holder'));
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderLockedError);
    unlock();
    rmdirSync(join(folder, 'lock.holder'));
    lockFolder(folder)();
  });

  it('can be taken again once what was in its way is gone', () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'lock.db'));
    expect(() => lockFolder(folder)).toThrow(`The folder ${folder} cannot be locked: `);
    rmdirSync(join(folder, 'lock.db'));
    lockFolder(folder)();
  });

  it('says when it is this very process that has it', () => {
    const folder = tempFolder();
    const unlock = lockFolder(folder);
    expect(readFileSync(join(folder, 'lock.holder'), 'utf8')).toBe(`process ${process.pid}`);
    expect(() => lockFolder(folder)).toThrow(
      /in use by this process \(process \d+\): an earlier use of it has not ended/,
    );
    unlock();
  });
});

describe('the hold of a folder', () => {
  it('outlives every thread that works in it', async () => {
    const folder = tempFolder();
    const hold = holdFolder(folder);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    hold.onThread(first.promise);
    hold.onThread(second.promise);
    first.resolve();
    await hold.free(10);
    expect(() => lockFolder(folder)).toThrow(FolderLockedError);
    second.resolve();
    await hold.free(0);
    lockFolder(folder)();
  });

  it('waits for a thread that is ending', async () => {
    const folder = tempFolder();
    const hold = holdFolder(folder);
    hold.onThread(new Promise((resolve) => setTimeout(resolve, 20)));
    await hold.free(10_000);
    lockFolder(folder)();
  });
});
