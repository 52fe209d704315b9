import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataFolderError, openDataFolder } from '../../runtime/state/data-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a data folder', () => {
  it('is made with its secret for their owner alone', async () => {
    const data = join(tempFolder(), 'data');
    const opened = await openDataFolder(data);
    expect([opened.isNew, modeOf(data), modeOf(join(data, 'token.secret'))]).toEqual([true, 0o700, 0o600]);
    expect(await openDataFolder(data)).toMatchObject({ isNew: false, secret: opened.secret });
  });

  it('may be an empty folder, or one that a host has begun with', async () => {
    const folder = tempFolder({ 'begun/token.secret.17': 'half', 'begun/state.db': '', 'begun/state.db-wal': '' });
    mkdirSync(join(folder, 'empty'), { mode: 0o755 });
    for (const name of ['empty', 'begun']) {
      await openDataFolder(join(folder, name));
      expect(modeOf(join(folder, name))).toBe(0o700);
    }
  });

  it('is closed to others again when it is the host’s', async () => {
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    chmodSync(data, 0o755);
    await openDataFolder(data);
    expect(modeOf(data)).toBe(0o700);
  });

  it('is refused when somebody else’s files are in it, and left as it is', async () => {
    const home = tempFolder({ 'letter.txt': 'dear' });
    chmodSync(home, 0o755);
    await expect(openDataFolder(home)).rejects.toThrow(DataFolderError);
    await expect(openDataFolder(home)).rejects.toThrow('letter.txt');
    expect([modeOf(home), readdirSync(home)]).toEqual([0o755, ['letter.txt']]);
  });
});
