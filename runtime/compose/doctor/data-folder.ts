/** Who else may look into the host's own data. Looks only: it makes nothing, and mends nothing. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SECRET_FILE } from '../../state/data-folder.ts';
import { type Finding, failed, on } from './finding.ts';

export async function judgeDataFolder(path: string): Promise<readonly Finding[]> {
  const folder = resolve(path);
  const file = join(folder, SECRET_FILE);
  const [ofFolder, ofSecret] = await Promise.all([look(folder), look(file)]);
  if (ofFolder === undefined) {
    const later = 'does not exist yet; the first start makes it, for this user only';
    return [on(FOLDER, `${folder} ${later}.`), on(SECRET, `${file} ${later}.`)];
  }
  return [
    judge(FOLDER, folder, ofFolder, 0o700, 'who tokens are signed for, and what tasks work on'),
    ofSecret === undefined
      ? on(SECRET, `${file} does not exist yet; the first start makes it, for this user only.`)
      : judge(SECRET, file, ofSecret, 0o600, 'the key that signs tokens of any user'),
  ];
}

const FOLDER = 'data folder';
const SECRET = 'token secret';
const OTHERS = 0o077;
const ROOT = 0;

/** What a link leads to is what others could read. */
async function look(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}

function judge(name: string, path: string, stats: Stats, mode: number, stakes: string): Finding {
  if (process.platform === 'win32') return on(name, `${path}: Windows keeps its own list of who may read it.`);
  const remedy = `chmod ${mode.toString(8)} ${path}`;
  if ((stats.mode & OTHERS) !== 0) {
    const found = (stats.mode & 0o777).toString(8).padStart(4, '0');
    return failed(name, 'setting', `${path} is open to other users (mode ${found}), and holds ${stakes}.`, remedy);
  }
  const me = process.getuid?.();
  if (stats.uid !== me && stats.uid !== ROOT) {
    return failed(
      name,
      'setting',
      `${path} belongs to another user, who has ${stakes}.`,
      `chown it, or name another --data`,
    );
  }
  return on(name, `${path} is for its owner only.`);
}
